import os from 'node:os';
import { parseArgs } from 'node:util';
import { askMemory } from '../server/answer/ask.js';
import { openMemory } from '../server/memory/open-memory.js';
import { ReadMemory } from '../server/memory/repository-memory.js';
import type { Definition } from '../server/repository/source.js';
import { publish } from './figure.js';
import { median } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/nano' },
    repo: { type: 'string', default: '.' },
    under: { type: 'string', default: 'server/' },
    questions: { type: 'string', default: '60' },
    recall: { type: 'string', multiple: true, default: ['0', '64', '128', '256', '512'] },
    threads: { type: 'string', default: String(os.availableParallelism()) },
  },
});

const kinds: readonly Definition['kind'][] = ['function', 'class', 'interface'];

/** Definitions with a name of their own, spread evenly over the files. */
function chooseDefinitions(all: readonly Definition[], count: number): Definition[] {
  const named = new Map<string, number>();
  for (const { name } of all) named.set(name, (named.get(name) ?? 0) + 1);
  const unique = all.filter(
    ({ name, kind, path }) => named.get(name) === 1 && kinds.includes(kind) && path.startsWith(options.under),
  );
  if (unique.length < count) throw new Error(`${options.under} has ${unique.length} definitions of one name`);
  return Array.from({ length: count }, (_, i) => unique[Math.floor((i * unique.length) / count)]).filter(
    (definition) => definition !== undefined,
  );
}

/** Whether the text gives the place, and not one whose line only begins with the same digits. */
function givesPlace(text: string, place: string): boolean {
  return text
    .split(place)
    .slice(1)
    .some((rest) => !/^\d/.test(rest));
}

const opened = await openMemory({
  repo: options.repo,
  modelFolder: options.model,
  survey: { maxFileBytes: 1 << 20, include: [], exclude: [] },
  cacheFolder: '.cache/bench/product',
  threads: Number(options.threads),
});
const { engine, model } = opened;
/** With recall by attention, also for a model that switches it off: how well it would point is measured too. */
const locret = { ...model.locret, attention: true };
const attentive = new ReadMemory(engine, { ...model, locret }, opened.memory.content, 'read', 0);
const { memory } = opened;
const rows: string[][] = [];
let attended = 0;
const count = Number(options.questions);
try {
  const definitions = chooseDefinitions(memory.definitions, count);
  for (const { name, path } of definitions) {
    const { recall } = await askMemory(attentive, { question: `Where is \`${name}\` defined?`, maxTokens: 1 });
    if (recall.files.some((file) => file.path === path)) attended += 1;
  }
  for (const recall of options.recall.map(Number)) {
    let places = 0;
    let links = 0;
    const seconds: number[] = [];
    for (const { name, path, line, nameLine } of definitions) {
      const question = `Where is \`${name}\` defined?`;
      const { text, citations, timings } = await askMemory(memory, { question, recallTokens: recall, maxTokens: 48 });
      const lines = [line, nameLine].map((at) => `${path}:${at}`);
      if (lines.some((place) => givesPlace(text, place))) places += 1;
      const [first] = citations;
      if (first?.path === path && first.line >= line && first.line <= nameLine) links += 1;
      seconds.push(timings.firstTokenSeconds);
    }
    const row = [recall, places, links].map(String).concat(median(seconds).toFixed(2));
    process.stdout.write(`${row.join('  ')}\n`);
    rows.push(row);
  }
} finally {
  await engine.dispose();
}
const { filesRead, tokensRead } = memory.coverage();
await publish({
  name: 'answers',
  title: 'Answers of the bundled model about this repository',
  text:
    `${count} questions “Where is \`X\` defined?” about definitions in ${options.under}, asked of ${options.model} with a ` +
    `memory of ${filesRead} files, ${tokensRead.toLocaleString('en-US')} tokens: how often the answer's own words give ` +
    'path and line, how often the first link leads there, and the median seconds to the first token; by the tokens of ' +
    'definitions that are re-read before the question (0: from the memory alone). The right file is among the 8 that a question attends to most in the retained cache ' +
    `${attended} times (by chance: ${((8 * count) / filesRead).toFixed(1)}).`,
  tables: [
    { columns: ['recall, tokens', `right in words, of ${count}`, `first link right, of ${count}`, 'seconds'], rows },
  ],
  versions: [],
});
