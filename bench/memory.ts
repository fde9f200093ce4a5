import { rm } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { loadEngine } from '../server/memory/load-engine.js';
import { planModel } from '../server/memory/planning/planned-model.js';
import { readRepository } from '../server/memory/reading/reading.js';
import { surveyRepository } from '../server/repository/survey.js';
import { publish } from './figure.js';
import { repositoryOfSources } from './real-text.js';
import { spread } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/nano' },
    text: { type: 'string', default: 'node_modules' },
    tokens: { type: 'string', multiple: true, default: ['32768', '131072', '524288', '2097152'] },
    threads: { type: 'string', default: String(os.availableParallelism()) },
  },
});
const marks = options.tokens.map(Number).sort((a, b) => a - b);
/** More text than tokens: no tokenizer takes this many bytes for a token of source text. */
const bytesPerToken = 4;

interface Reached {
  readonly tokens: number;
  /** Largest resident memory of the process so far, bytes. */
  readonly peak: number;
  /** Since the mark before. */
  readonly tokensPerSecond: number;
}

const repo = await repositoryOfSources(options.text, (marks.at(-1) ?? 0) * bytesPerToken);
const reached: Reached[] = [];
let cacheBytes = 0;
let units = 0;
try {
  const survey = { maxFileBytes: 1 << 20, include: [], exclude: [] };
  const cacheFolder = '.cache/bench/product';
  const settings = { repo, model: options.model, survey, cacheFolder, threads: Number(options.threads) };
  const planned = await planModel(settings);
  const engine = await loadEngine(planned, cacheFolder, (notice) => process.stderr.write(`${notice}\n`));
  const enough = new AbortController();
  const files = await surveyRepository(repo, survey);
  let before = { tokens: 0, at: performance.now() };
  const read = readRepository({
    engine,
    model: planned.model,
    survey: files,
    options: survey,
    local: planned.plan.local,
    structure: planned.plan.structure,
    signal: enough.signal,
    onProgress: ({ tokensRead }) => {
      if (tokensRead < (marks[reached.length] ?? Infinity)) return;
      const at = performance.now();
      const peak = process.resourceUsage().maxRSS * 1024;
      const tokensPerSecond = (1000 * (tokensRead - before.tokens)) / (at - before.at);
      before = { tokens: tokensRead, at };
      reached.push({ tokens: tokensRead, peak, tokensPerSecond });
      process.stdout.write(`${tokensRead} tokens, ${peak} bytes at most, ${tokensPerSecond.toFixed(0)} tokens/s\n`);
      if (reached.length === marks.length) enough.abort();
    },
  });
  await read.catch((error: unknown) => {
    if (!enough.signal.aborted) throw error;
  });
  ({ cacheBytes, length: units } = await engine.stats());
  await engine.dispose();
} finally {
  await rm(repo, { recursive: true, force: true });
}
if (reached.length < marks.length)
  throw new Error(`${options.text} has too little text for ${marks.at(-1) ?? 0} tokens`);

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const growth = (reached.at(-1)?.peak ?? NaN) / (reached[0]?.peak ?? NaN) - 1;
const speedSpread = spread(reached.map((one) => one.tokensPerSecond));
await publish({
  name: 'memory',
  title: 'Memory while reading',
  text:
    `One read of a repository of real text (sources from ${options.text}) by ${options.model} as the product does it: ` +
    `survey, tokenizing, outline, source map, engine with ${options.threads} threads. The largest resident memory of the ` +
    'whole process until so many tokens, and the speed since the row before. The cache is ' +
    `${megabytes(cacheBytes)} MB throughout (${units} units kept per KV head). From the first row to the last the peak ` +
    `grows by **${(growth * 100).toFixed(1)} %** (bar: ≤ 5 %); the speeds lie within **${(speedSpread * 100).toFixed(1)} %** (bar: 10 %).`,
  tables: [
    {
      columns: ['tokens read', 'peak resident memory, MB', 'tokens/s'],
      rows: reached.map((one) => [
        one.tokens.toLocaleString('en-US'),
        megabytes(one.peak),
        one.tokensPerSecond.toFixed(0),
      ]),
    },
  ],
  versions: [],
});
