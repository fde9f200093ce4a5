import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Turn } from '../server/contract/answers.js';
import { askMemory } from '../server/answer/ask.js';
import { withDefaults } from '../server/contract/setting.js';
import { settings } from '../server/contract/settings.js';
import { ReadMemory } from '../server/memory/contents/repository-memory.js';
import type { Definition } from '../server/repository/source.js';
import { Workspace } from '../server/workspace/workspace.js';
import { publish } from './figure.js';
import {
  absentQuestion,
  documentationQuestion,
  parametersQuestion,
  placeQuestion,
  questionKinds,
  type LookupQuestion,
} from './lookup-questions.js';
import { median } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/nano' },
    repo: { type: 'string', default: '.' },
    under: { type: 'string', default: 'server/' },
    questions: { type: 'string', default: '60' },
    recall: { type: 'string', multiple: true, default: ['0', '64', '128', '256', '512'] },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    /** Prints every wrong answer. */
    wrong: { type: 'boolean', default: false },
  },
});

const kinds: readonly Definition['kind'][] = ['function', 'class', 'interface'];
const isThisRepository = path.resolve(options.repo) === process.cwd();

function spreadEvenly<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]).filter(
    (item) => item !== undefined,
  );
}

/** Questions of each kind about definitions with a name of their own, spread evenly over the files. */
function chooseQuestions(all: readonly Definition[], count: number): LookupQuestion[] {
  const uses = new Map<string, number>();
  for (const { name } of all) uses.set(name, (uses.get(name) ?? 0) + 1);
  const unique = all.filter(
    ({ name, kind, path: file }) => uses.get(name) === 1 && kinds.includes(kind) && file.startsWith(options.under),
  );
  const linesOf = (definition: Definition): string[] =>
    readFileSync(path.join(options.repo, definition.path), 'utf8').split('\n');
  const names = new Set(uses.keys());
  const isKnown = (question: LookupQuestion | undefined): question is LookupQuestion => question !== undefined;
  return [
    ...spreadEvenly(unique, count).map(placeQuestion),
    ...spreadEvenly(unique.map((each) => parametersQuestion(each, linesOf(each))).filter(isKnown), count),
    ...spreadEvenly(unique.map((each) => documentationQuestion(each, linesOf(each))).filter(isKnown), count),
    ...spreadEvenly(
      unique.map((each, i) => absentQuestion(each, unique[(i * 7 + 3) % unique.length] ?? each, names)).filter(isKnown),
      count,
    ),
  ];
}

/** What may have been asked before the i-th question: where another definition is, and the right answer. */
function earlierTurn(places: readonly LookupQuestion[], i: number): Turn[] {
  const { question, definition } = places[(i * 11 + 5) % places.length] ?? {};
  if (question === undefined || definition === undefined) return [];
  const { name, path: file, line } = definition;
  return [{ question, answer: `\`${name}\` is defined in \`${file}:${line}\`.` }];
}

const chosen = { ...withDefaults(settings, {}), model: options.model, threads: Number(options.threads), trusted: true };
const quiet = { onChange: () => undefined, onTraining: () => undefined, log: () => undefined };
const workspace = new Workspace(quiet, chosen);
const folder = path.resolve(options.repo);
const root = workspace.add(pathToFileURL(folder).href, folder);
await root.open();
const memory = root.contents;
const { engine, model } = memory;
/** With recall by attention, also for a model that switches it off: how well it would point is measured too. */
const locret = { ...model.locret, attention: true };
const attentive = new ReadMemory(engine, { ...model, locret }, memory.content, 'read', 0);
const questions = chooseQuestions(memory.definitions, Number(options.questions));
const places = questions.filter(({ kind }) => kind === 'place');
const rows: string[][] = [];
let attended = 0;
try {
  for (const { question, definition } of places) {
    const { recall } = await askMemory(attentive, { question, maxTokens: 1 });
    if (recall.files.some((file) => file.path === definition?.path)) attended += 1;
  }
  const [first = '0'] = options.recall;
  const runs = [
    ...options.recall.map((recall) => ({ recallTokens: Number(recall), before: 'nothing' })),
    { recallTokens: Number(first), before: 'another question' },
  ];
  for (const { recallTokens, before } of runs) {
    const right = new Map<string, number>(questionKinds.map((kind) => [kind, 0]));
    let links = 0;
    const seconds: number[] = [];
    for (const [i, { kind, question, definition, isRight }] of questions.entries()) {
      const history = before === 'nothing' ? [] : earlierTurn(places, i);
      const { text, citations, timings } = await askMemory(memory, { question, history, recallTokens, maxTokens: 96 });
      if (isRight(text)) right.set(kind, (right.get(kind) ?? 0) + 1);
      else if (options.wrong) process.stdout.write(`  ${question}\n    ${text.replaceAll('\n', '\n    ')}\n`);
      const [first] = citations;
      const isPlace = first?.path === definition?.path && definition !== undefined && first !== undefined;
      if (kind === 'place' && isPlace && first.line >= definition.line && first.line <= definition.nameLine) links += 1;
      seconds.push(timings.firstTokenSeconds);
    }
    const counts = questionKinds.map((kind) => String(right.get(kind)));
    const row = [String(recallTokens), before, ...counts, String(links), median(seconds).toFixed(2)];
    process.stdout.write(`${row.join('  ')}\n`);
    rows.push(row);
  }
} finally {
  await workspace.close();
}
const { filesRead, tokensRead } = memory.coverage();
const asked = questionKinds.map((kind) => questions.filter((question) => question.kind === kind).length);
process.stdout.write(`asked: ${asked.join(', ')}\n`);
if (isThisRepository) {
  await publish({
    name: 'answers',
    title: 'Answers of the bundled model about this repository',
    text:
      `Questions about definitions in ${options.under}, asked of ${options.model} with a memory of ${filesRead} files, ` +
      `${tokensRead.toLocaleString('en-US')} tokens: “Where is \`X\` defined?”, “What are the parameters of \`X\`?”, ` +
      '“What does `X` do?” about documented definitions, and “Where is `X` defined?” about names that are not there, made ' +
      'of parts of those that are. How often the answer’s own words give path and line, all parameters, the first sentence ' +
      'of the documentation, or that there is no such thing, to the last character; how often the first link leads to the ' +
      'definition; and the median seconds to the first token; by the tokens of definitions that are re-read before the ' +
      'question (0: from the memory alone), and by what was asked before: nothing, or where something else is defined. The right file is among the 8 that a question attends to most in the retained ' +
      `cache ${attended} times of ${places.length} (by chance: ${((8 * places.length) / filesRead).toFixed(1)}).`,
    tables: [
      {
        columns: [
          'recall, tokens',
          'asked before',
          ...questionKinds.map((kind, i) => `${kind} right, of ${asked[i]}`),
          `first link right, of ${places.length}`,
          'seconds',
        ],
        rows,
      },
    ],
    versions: [],
  });
}
