import { parseArgs } from 'node:util';
import type { Engine } from '../server/engine/engine.js';
import { openEngine } from '../server/engine/remote-engine.js';
import { someTokens } from './contender.js';
import { publish } from './figure.js';
import { ensureRandomCheckpoint } from './random-checkpoint.js';
import { type BenchShape, parseBits, shapeByName, shapes } from './shapes.js';
import { median } from './statistics.js';

const { values: options } = parseArgs({
  options: {
    shape: { type: 'string', multiple: true, default: shapes.map((shape) => shape.name) },
    bits: { type: 'string', default: 'int8' },
    budget: { type: 'string', multiple: true, default: ['1024', '4096'] },
    chunk: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '2' },
  },
});
const chunk = Number(options.chunk);
const rounds = Number(options.rounds);

interface Pass {
  /** Seconds of the whole call, as its caller sees them. */
  readonly seconds: number;
  readonly evictionSeconds: number;
}

async function timed(engine: Engine, tokens: readonly number[], evict: 'between-chunks' | 'none'): Promise<Pass> {
  let evictionSeconds = 0;
  const before = performance.now();
  await engine.extend(tokens, {
    evict,
    onChunk: ({ milliseconds }) => {
      evictionSeconds += milliseconds.eviction / 1000;
    },
  });
  return { seconds: (performance.now() - before) / 1000, evictionSeconds };
}

async function openBoth(shape: BenchShape, budget: number): Promise<{ locret: Engine; plain: Engine }> {
  const { model, heads } = await ensureRandomCheckpoint('.cache/bench/models', shape);
  const common = {
    model,
    precision: parseBits(options.bits),
    threads: Number(options.threads),
    cacheFolder: '.cache/bench/packed',
    plan: { budget, chunk, stabilizers: budget >> 3, pinned: 0, capacity: budget + chunk },
  };
  return {
    locret: await openEngine({ ...common, heads, policy: 'locret' }),
    plain: await openEngine({ ...common, policy: 'sink-recent' }),
  };
}

/** Passes over a full cache, in turn: with scoring and eviction, and by a model without heads that takes the chunk back. */
async function compare(shape: BenchShape, budget: number): Promise<string[]> {
  const { locret, plain } = await openBoth(shape, budget);
  try {
    const first = someTokens(budget, 0, shape.vocabulary);
    await locret.extend(first, { evict: 'none' });
    await plain.extend(first, { evict: 'none' });
    const withLocret: Pass[] = [];
    const without: Pass[] = [];
    for (let round = 0; round <= rounds; round++) {
      const tokens = someTokens(chunk, round + 1, shape.vocabulary);
      const takenBack = async (engine: Engine): Promise<Pass> => {
        const mark = await engine.mark();
        const pass = await timed(engine, tokens, 'none');
        await engine.rewind(mark);
        return pass;
      };
      // A product runs one engine: each measured pass follows one of the same engine, so that its weights are at hand and
      // the other's threads have gone to sleep.
      const passes = [
        async () => {
          await takenBack(locret);
          withLocret.push(await timed(locret, tokens, 'between-chunks'));
        },
        async () => {
          await takenBack(plain);
          without.push(await takenBack(plain));
        },
      ];
      for (const pass of round % 2 === 0 ? passes : passes.reverse()) await pass();
    }
    const [, ...ours] = withLocret;
    const [, ...plainPasses] = without;
    const seconds = median(ours.map((pass) => pass.seconds));
    const plainSeconds = median(plainPasses.map((pass) => pass.seconds));
    const evictionShare = median(ours.map((pass) => pass.evictionSeconds / pass.seconds));
    const overhead = seconds / plainSeconds - 1;
    return [
      `${shape.name}, ${options.bits}`,
      String(budget),
      (plainSeconds * 1000).toFixed(1),
      (seconds * 1000).toFixed(1),
      `${(evictionShare * 100).toFixed(1)} %`,
      `**${(overhead * 100).toFixed(1)} %**`,
      '≤ 5 %',
    ];
  } finally {
    await Promise.all([locret.dispose(), plain.dispose()]);
  }
}

const rows: string[][] = [];
for (const shape of options.shape.map(shapeByName)) {
  for (const budget of options.budget.map(Number)) {
    const row = await compare(shape, budget);
    process.stdout.write(`${row.join('  ')}\n`);
    rows.push(row);
  }
}
await publish({
  name: 'eviction',
  title: 'Cost of scoring and evicting',
  text:
    `One prefill pass of ${chunk} tokens behind a full cache, ${options.threads} threads, random weights: without retaining ` +
    'heads and eviction, and with both. In turn, ' +
    `${rounds} times, medians. The overhead is all that Locret adds to a pass: its heads inside the graph, choosing the units ` +
    'that stay, and moving them.',
  tables: [
    {
      columns: ['weights', 'budget', 'plain pass, ms', 'with Locret, ms', 'of it eviction', 'overhead', 'bar'],
      rows,
    },
  ],
  versions: [],
});
