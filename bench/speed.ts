import { parseArgs } from 'node:util';
import { ContenderProcess, type Measurement, type Request } from './contender.js';
import { publish, type Table } from './figure.js';
import { shapes } from './shapes.js';
import { median } from './statistics.js';

/** What the project holds itself to: onnx engine : llama.cpp, at least. */
const bars: Readonly<Record<string, { readonly prefill: number; readonly decode: number }>> = {
  'nano int8': { prefill: 1.9, decode: 1.5 },
  'qwen2.5-coder-0.5b int8': { prefill: 2.5, decode: 1.5 },
  'nano int4': { prefill: 1.2, decode: 1.3 },
  'qwen2.5-coder-0.5b int4': { prefill: 1.2, decode: 1.3 },
};

const { values: options } = parseArgs({
  options: {
    shape: { type: 'string', multiple: true, default: shapes.map((shape) => shape.name) },
    bits: { type: 'string', multiple: true, default: ['int8', 'int4'] },
    cache: { type: 'string', multiple: true, default: ['1024', '4096'] },
    chunk: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '7' },
    runs: { type: 'string', default: '24' },
    threads: { type: 'string', default: '2' },
  },
});
const chunk = Number(options.chunk);
const rounds = Number(options.rounds);
const threads = Number(options.threads);

interface Comparison {
  readonly ours: readonly Measurement[];
  readonly theirs: readonly Measurement[];
}

/** Measures both in turn, each first in every other round, after one round that does not count. */
async function compare(
  ours: ContenderProcess,
  theirs: ContenderProcess,
  request: Extract<Request, { kind: 'prefill' | 'decode' }>,
): Promise<Comparison> {
  const results: { ours: Measurement[]; theirs: Measurement[] } = { ours: [], theirs: [] };
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const who of order) {
      const measurement = await (who === 'ours' ? ours : theirs).measure(request);
      if (round > 0) results[who].push(measurement);
    }
  }
  return results;
}

function cells({ ours, theirs }: Comparison, bar: number | undefined): string[] {
  const speed = (of: readonly Measurement[]): number => median(of.map((one) => one.tokensPerSecond));
  const cpu = (of: readonly Measurement[]): number => median(of.map((one) => one.cpuMillisecondsPerToken));
  const digits = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  const pairs = ours.map((one, i) => one.tokensPerSecond / (theirs[i]?.tokensPerSecond ?? NaN));
  return [
    digits(speed(ours)),
    digits(speed(theirs)),
    `**${(speed(ours) / speed(theirs)).toFixed(2)}**`,
    `${Math.min(...pairs).toFixed(2)}–${Math.max(...pairs).toFixed(2)}`,
    (cpu(theirs) / cpu(ours)).toFixed(2),
    bar === undefined ? '' : `≥ ${bar.toFixed(1)}`,
  ];
}

const rows: string[][] = [];
let versions = '';
for (const shape of options.shape) {
  for (const bits of options.bits) {
    const ours = new ContenderProcess(new URL('speed-onnx.js', import.meta.url));
    const theirs = new ContenderProcess(new URL('speed-llama-cpp.js', import.meta.url));
    try {
      await ours.load(shape, bits, threads);
      versions = await theirs.load(shape, bits, threads);
      for (const cache of options.cache.map(Number)) {
        await ours.fill(cache, chunk);
        await theirs.fill(cache, chunk);
        for (const kind of ['prefill', 'decode'] as const) {
          const request = kind === 'prefill' ? { kind } : { kind, runs: Number(options.runs) };
          const comparison = await compare(ours, theirs, request);
          const row = [
            `${shape}, ${bits}`,
            String(cache),
            kind,
            ...cells(comparison, bars[`${shape} ${bits}`]?.[kind]),
          ];
          process.stdout.write(`${row.join('  ')}\n`);
          rows.push(row);
        }
      }
    } finally {
      ours.end();
      theirs.end();
    }
  }
}

const table: Table = {
  columns: [
    'weights',
    'cache',
    'what',
    'onnx tokens/s',
    'llama.cpp tokens/s',
    'ratio',
    'least–most',
    'CPU time ratio',
    'bar',
  ],
  rows,
};
await publish({
  name: 'speed',
  title: 'Speed of the onnx engine beside llama.cpp',
  text:
    `Random weights of the same shapes and bits (llama.cpp: Q8_0 and Q4_0, every matrix), ${threads} threads each, behind a ` +
    `cache of so many units: prefill of ${chunk} tokens, decoding of ${options.runs} tokens. The onnx engine scores every ` +
    'token with its retaining heads and evicts; llama.cpp does neither, and uses flash attention. Both are loaded in ' +
    `processes of their own and measured in turn, ${rounds} times: medians, the ratio of the medians, the ratios of single ` +
    'turns, and the ratio of processor time per token (llama.cpp : onnx), which other programs disturb less.',
  tables: [table],
  versions: [versions],
});
