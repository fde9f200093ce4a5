import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';
import { openEngine } from '../server/engine/remote-engine.js';
import { publish } from './figure.js';
import { sourceTexts } from './real-text.js';
import { parseBits } from './shapes.js';
import { spread } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/nano' },
    heads: { type: 'string', default: 'models/nano/retaining_heads.safetensors' },
    text: { type: 'string', default: 'node_modules' },
    tokens: { type: 'string', multiple: true, default: ['32768', '131072', '524288', '2097152'] },
    bits: { type: 'string', default: 'int8' },
    budget: { type: 'string', default: '768' },
    chunk: { type: 'string', default: '256' },
    threads: { type: 'string', default: '2' },
  },
});
const budget = Number(options.budget);
const chunk = Number(options.chunk);
/** Tokens given to the engine at once. */
const batch = 16 * chunk;
const marks = options.tokens.map(Number).sort((a, b) => a - b);

async function readJson(file: string): Promise<object> {
  const parse: (text: string) => object = JSON.parse;
  return parse(await readFile(file, 'utf8'));
}

/** Real text as tokens, in batches. */
async function* tokenBatches(): AsyncGenerator<number[]> {
  const tokenizer = new Tokenizer(
    await readJson(`${options.model}/tokenizer.json`),
    await readJson(`${options.model}/tokenizer_config.json`),
  );
  let waiting: number[] = [];
  for await (const text of sourceTexts(options.text)) {
    waiting = waiting.concat(tokenizer.encode(text, { add_special_tokens: false }).ids);
    let begin = 0;
    for (; waiting.length - begin >= batch; begin += batch) yield waiting.slice(begin, begin + batch);
    waiting = waiting.slice(begin);
  }
}

interface Reached {
  readonly tokens: number;
  /** Largest resident memory of the process so far, bytes. */
  readonly peak: number;
  readonly cacheBytes: number;
  /** Since the mark before, in the engine. */
  readonly tokensPerSecond: number;
}

const engine = await openEngine({
  model: options.model,
  heads: options.heads,
  policy: 'locret',
  precision: parseBits(options.bits),
  threads: Number(options.threads),
  cacheFolder: '.cache/bench/packed',
  plan: { budget, chunk, stabilizers: budget >> 3, pinned: 0, capacity: budget + chunk },
});
const reached: Reached[] = [];
try {
  let read = 0;
  let peak = 0;
  let before = { tokens: 0, seconds: 0 };
  let seconds = 0;
  for await (const tokens of tokenBatches()) {
    const start = performance.now();
    await engine.extend(tokens, {
      evict: 'between-chunks',
      onChunk: () => {
        peak = Math.max(peak, process.memoryUsage.rss());
      },
    });
    seconds += (performance.now() - start) / 1000;
    read += tokens.length;
    if (read < (marks[reached.length] ?? Infinity)) continue;
    const { cacheBytes } = await engine.stats();
    const tokensPerSecond = (read - before.tokens) / (seconds - before.seconds);
    before = { tokens: read, seconds };
    reached.push({ tokens: read, peak, cacheBytes, tokensPerSecond });
    process.stdout.write(`${read} tokens, ${peak} bytes at most, ${tokensPerSecond.toFixed(0)} tokens/s\n`);
    if (reached.length === marks.length) break;
  }
} finally {
  await engine.dispose();
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
    `One read of real text (the sources in ${options.text}) by ${options.model}, ${options.bits}, budget ${budget}, chunk ` +
    `${chunk}, ${options.threads} threads: the largest resident memory of the process until so many tokens, the bytes of ` +
    'the cache, and the speed since the row before. From the first row to the last the peak grows by ' +
    `**${(growth * 100).toFixed(1)} %** (bar: ≤ 5 %); the speeds lie within **${(speedSpread * 100).toFixed(1)} %** (bar: 10 %).`,
  tables: [
    {
      columns: ['tokens read', 'peak resident memory, MB', 'cache, MB', 'tokens/s'],
      rows: reached.map((one) => [
        one.tokens.toLocaleString('en-US'),
        megabytes(one.peak),
        megabytes(one.cacheBytes),
        one.tokensPerSecond.toFixed(0),
      ]),
    },
  ],
  versions: [],
});
