import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { CachePlan, ChunkReport, Engine, EngineOptions } from '../../../../server/engine/engine.js';
import { createProcessorEngine } from '../../../../server/backends/processor/engine.js';
import { continuation, greedy, oneByOne, someTokens, wholeCache } from './small-engine.js';

const model = fileURLToPath(new URL('../../../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-engine-'));
const sizes: CachePlan = { budget: 48, chunk: 32, stabilizers: 8, pinned: 4, capacity: 128 };
const vocabulary = 512;
const open: Engine[] = [];

async function openEngine(plan: Partial<CachePlan> = {}, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await createProcessorEngine({
    model,
    heads,
    policy: 'locret',
    precision: 'float32',
    threads: 1,
    cacheFolder,
    plan: { ...sizes, ...plan },
    ...options,
  });
  open.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

describe('reading', () => {
  it('never keeps more than the budget, pins the beginning and protects the newest units', async () => {
    const engine = await openEngine();
    const reports: ChunkReport[] = [];
    await engine.extend(someTokens(200), {
      evict: 'between-chunks',
      detail: true,
      onChunk: (report) => reports.push(report),
    });
    expect(reports.map(({ begin, end, length }) => [begin, end, length])).toEqual([
      [0, 32, 32],
      [32, 64, 48],
      [64, 96, 48],
      [96, 128, 48],
      [128, 160, 48],
      [160, 192, 48],
      [192, 200, 48],
    ]);
    for (const { end, layers } of reports.slice(1)) {
      for (const kept of layers?.flatMap(({ keptTokens }) => keptTokens) ?? []) {
        expect([...kept.slice(0, 4)]).toEqual([0, 1, 2, 3]);
        expect([...kept.slice(-8)]).toEqual(Array.from({ length: 8 }, (_, i) => end - 8 + i));
      }
    }
  });

  it('keeps the units of structure before others, the best of them where the budget is too small', async () => {
    const structureOf = (every: number): Uint8Array => Uint8Array.from(someTokens(200), (_, i) => (i % every ? 0 : 1));
    const indices = async (structure: Uint8Array): Promise<number[][]> => {
      const engine = await openEngine();
      await engine.extend(someTokens(200), { evict: 'final', structure });
      const layers = engine.description.shape.layers.map((_, layer) => engine.exportLayer(layer));
      return (await Promise.all(layers)).flatMap(({ length, tokenIndices }) =>
        Array.from({ length: tokenIndices.length / length }, (_, head) => [
          ...tokenIndices.subarray(head * length, (head + 1) * length),
        ]),
      );
    };
    const tenths = Array.from({ length: 20 }, (_, i) => 10 * i);
    const few = await indices(structureOf(10));
    for (const kept of few) expect(kept).toEqual(expect.arrayContaining(tenths));
    // Beyond them the scores decide, as without.
    expect(new Set(few.map((kept) => kept.join())).size).toBeGreaterThan(1);
    const many = await indices(structureOf(2));
    for (const kept of many) expect(kept.filter((token) => token > 3 && token % 2 === 1)).toEqual([]);
    expect(new Set(many.map((kept) => kept.join())).size).toBeGreaterThan(1);
  });

  it('refuses structure where no scores decide, or not of as many tokens as there are', async () => {
    const engine = await openEngine({}, { policy: 'key-difference' });
    await expect(engine.extend([1, 2], { evict: 'final', structure: new Uint8Array(2) })).rejects.toThrow(
      'The policy "key-difference" keeps no units before others',
    );
    await expect((await openEngine()).extend([1, 2], { evict: 'final', structure: new Uint8Array(3) })).rejects.toThrow(
      'For 2 tokens it is told of 3',
    );
  });

  it('protects nothing but the pinned units in a final eviction', async () => {
    const engine = await openEngine();
    const reports: ChunkReport[] = [];
    const onChunk = (report: ChunkReport): void => void reports.push(report);
    await engine.extend(someTokens(100), { evict: 'final', detail: true, onChunk });
    for (const layer of reports.at(-1)?.layers ?? []) {
      layer.keptRanks.forEach((ranks, head) => {
        expect(layer.evictionMargin[head]).toBeGreaterThanOrEqual(0);
        expect(ranks).toHaveLength(48);
      });
    }
    const newest = reports.at(-1)?.layers?.flatMap(({ keptTokens }) => keptTokens.map((kept) => kept.at(-1)));
    expect(newest?.every((token) => token === 99)).toBe(false);
  });

  it('gives the same cache whatever the call boundaries are, when they fall between chunks', async () => {
    const tokens = someTokens(160);
    const whole = await openEngine();
    await whole.extend(tokens, { evict: 'between-chunks' });
    const parts = await openEngine();
    await parts.extend(tokens.slice(0, 64), { evict: 'between-chunks' });
    await parts.extend(tokens.slice(64), { evict: 'between-chunks' });
    expect(await wholeCache(parts)).toEqual(await wholeCache(whole));
  });

  it('moves keys as if they had been rotated to their new slots at once', async () => {
    // All units of a token sequence that no eviction touched, against the same units moved down by a forgotten prefix.
    const tokens = someTokens(40);
    const engine = await openEngine({ budget: Infinity });
    await engine.extend(tokens, { evict: 'none' });
    const before = await engine.exportLayer(0);
    await engine.forget([{ begin: 0, end: 10 }]);
    const after = await engine.exportLayer(0);
    const shifted = await openEngine({ budget: Infinity });
    // Keys and values of layer 0 depend on the token and its slot alone.
    await shifted.extend(tokens.slice(10), { evict: 'none' });
    const expected = await shifted.exportLayer(0);
    expect(after.length).toBe(before.length - 10);
    after.keys.forEach((key, i) => {
      expect(Math.abs(key - (expected.keys[i] ?? NaN))).toBeLessThan(2e-6);
    });
    after.values.forEach((value, i) => {
      expect(value).toBe(expected.values[i]);
    });
  });

  it('holds a cache of unlimited budget that grows', async () => {
    const tokens = someTokens(150);
    const small = await openEngine({ budget: Infinity, capacity: 16 });
    const large = await openEngine({ budget: Infinity, capacity: 256 });
    const logits = await Promise.all(
      [small, large].map(async (engine) => (await engine.extend(tokens, { evict: 'none', logits: 'last' })).logits),
    );
    expect(logits[0]).toEqual(logits[1]);
    expect(await continuation(small, [1, 2])).toEqual(await continuation(large, [1, 2]));
  });

  it('stops between chunks when cancelled, with a cache that can be used', async () => {
    const engine = await openEngine();
    const cancel = new AbortController();
    const reading = engine.extend(someTokens(200), {
      evict: 'between-chunks',
      signal: cancel.signal,
      onChunk: ({ end }) => {
        if (end === 64) cancel.abort();
      },
    });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    expect(await engine.stats()).toMatchObject({ length: 48, nextTokenIndex: 64 });
    const same = await openEngine();
    await same.extend(someTokens(200).slice(0, 64), { evict: 'between-chunks' });
    expect(await wholeCache(engine)).toEqual(await wholeCache(same));
  });

  it.each([
    ['too many tokens for the capacity', someTokens(129), /128 units.*139/],
    ['a token that the model does not have', [1, vocabulary], /Token 512/],
    ['a negative token', [-1], /Token -1/],
  ])('refuses %s and stays as it is', async (_, tokens, message) => {
    const engine = await openEngine();
    await engine.extend(someTokens(10), { evict: 'between-chunks' });
    await expect(engine.extend(tokens, { evict: 'none' })).rejects.toThrow(message);
    expect(await engine.stats()).toMatchObject({ length: 10, nextTokenIndex: 10 });
  });

  it('goes on at a given token index and refuses one that is not behind the others', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(5), { evict: 'none', firstTokenIndex: 100 });
    expect([...(await engine.exportLayer(0)).tokenIndices.slice(0, 5)]).toEqual([100, 101, 102, 103, 104]);
    await expect(engine.extend([1], { evict: 'none', firstTokenIndex: 104 })).rejects.toThrow(/not behind/);
  });
});

describe('asking', () => {
  it('leaves no trace after a rewind: bit-identical cache and answers', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(150), { evict: 'final' });
    const before = await wholeCache(engine);
    const first = await continuation(engine, someTokens(20, 7));
    await continuation(engine, someTokens(33, 9));
    expect(await wholeCache(engine)).toEqual(before);
    expect(await continuation(engine, someTokens(20, 7))).toEqual(first);
  });

  it('refuses to rewind over an eviction', async () => {
    const engine = await openEngine();
    const mark = await engine.mark();
    await engine.extend(someTokens(100), { evict: 'between-chunks' });
    await expect(engine.rewind(mark)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('decodes token by token what a prefill of the same tokens gives', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(100), { evict: 'final' });
    const mark = await engine.mark();
    await engine.extend(someTokens(5, 3), { evict: 'none' });
    const { tokens, logits } = await engine.generate({
      maxTokens: 6,
      sampling: greedy,
      stopTokens: [],
      logits: true,
    });
    await engine.rewind(mark);
    const again = await engine.extend([...someTokens(5, 3), ...tokens], { evict: 'none', logits: 'all' });
    logits?.forEach((logit, i) => {
      expect(Math.abs(logit - (again.logits[4 * vocabulary + i] ?? NaN))).toBeLessThan(5e-5);
    });
  });

  it('ends at a stop token, at the limit, at the listener and at the capacity', async () => {
    const engine = await openEngine({ capacity: 60 });
    await engine.extend(someTokens(50), { evict: 'none' });
    const mark = await engine.mark();
    const { tokens } = await engine.generate({ maxTokens: 5, sampling: greedy, stopTokens: [] });
    expect(tokens).toHaveLength(5);
    const generate = async (options: {
      maxTokens: number;
      stopTokens?: number[];
      onToken?: (token: number) => boolean;
    }) => {
      await engine.rewind({ ...mark, length: 49, nextTokenIndex: 49 });
      await engine.extend(someTokens(50).slice(49), { evict: 'none' });
      return engine.generate({ sampling: greedy, stopTokens: [], ...options });
    };
    const third = tokens[2] ?? -1;
    const firstThird = tokens.indexOf(third);
    expect(await generate({ maxTokens: 5 })).toMatchObject({ tokens, end: 'token-limit' });
    expect(await generate({ maxTokens: 5, stopTokens: [third] })).toMatchObject({
      tokens: tokens.slice(0, firstThird),
      end: 'stop-token',
    });
    let heard = 0;
    expect(await generate({ maxTokens: 5, onToken: () => ++heard < 2 })).toMatchObject({
      tokens: tokens.slice(0, 2),
      end: 'stopped',
    });
    const full = await generate({ maxTokens: 50 });
    expect(full.end).toBe('capacity');
    expect(full.tokens).toHaveLength(11);
  });

  it('gives logits that later passes leave alone', async () => {
    const engine = await openEngine();
    const { logits } = await engine.extend([1, 2, 3], { evict: 'none', logits: 'last' });
    const before = [...logits];
    const { logits: steps } = await engine.generate({ maxTokens: 3, sampling: greedy, stopTokens: [], logits: true });
    expect([...logits]).toEqual(before);
    expect([...(steps?.slice(0, vocabulary) ?? [])]).toEqual(before);
    expect([...(steps?.slice(vocabulary, 2 * vocabulary) ?? [])]).not.toEqual(before);
  });

  it('has nothing to continue on an empty or rewound cache', async () => {
    const engine = await openEngine();
    const options = { maxTokens: 1, sampling: greedy, stopTokens: [] };
    await expect(engine.generate(options)).rejects.toThrow(/nothing to continue/);
  });

  it('tells the attention of a question: it sums to 1 and falls on tokens in the cache', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(150), { evict: 'final' });
    const mark = await engine.mark();
    const { attention } = await engine.extend(someTokens(40, 5), { evict: 'none', observe: 36 });
    const sum = attention?.mass.reduce((a, b) => a + b, 0) ?? NaN;
    expect(sum).toBeCloseTo(1, 5);
    const known = new Set((await wholeCache(engine)).flatMap(({ tokenIndices }) => [...tokenIndices]));
    expect(attention?.tokenIndices.every((token) => known.has(token))).toBe(true);
    await engine.rewind(mark);
    await engine.extend(someTokens(4, 5), { evict: 'none' });
    const answer = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [], observe: true });
    expect(answer.attention?.mass.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(answer.attention?.tokenIndices.at(-1)).toBeLessThan(154);
  });
});

describe('forgetting, saving and restoring', () => {
  it('drops the units of a range from every head and keeps the heads equally long', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(150), { evict: 'final' });
    const dropped = await engine.forget([
      { begin: 60, end: 90 },
      { begin: 20, end: 40 },
    ]);
    expect(dropped).toBeGreaterThan(0);
    const { length } = await engine.stats();
    expect(length).toBe(48 - dropped);
    for (const layer of await wholeCache(engine)) {
      expect(layer.tokenIndices).toHaveLength(2 * length);
      expect(layer.tokenIndices.some((t) => (t >= 60 && t < 90) || (t >= 20 && t < 40))).toBe(false);
      for (const head of [0, 1]) {
        const indices = [...layer.tokenIndices.slice(head * length, (head + 1) * length)];
        expect(indices.slice(0, 4)).toEqual([0, 1, 2, 3]);
        expect(indices).toEqual([...indices].sort((a, b) => a - b));
      }
    }
    expect(await engine.forget([{ begin: 60, end: 90 }])).toBe(0);
  });

  it('counts for each token how many heads of all layers keep its unit', async () => {
    const engine = await openEngine();
    expect(await engine.keptUnits()).toEqual({ tokenIndices: new Int32Array(0), counts: new Uint16Array(0) });
    await engine.extend(someTokens(150), { evict: 'final' });
    await engine.forget([{ begin: 60, end: 90 }]);
    const held = (await wholeCache(engine)).flatMap(({ tokenIndices }) => [...tokenIndices]);
    const expected = new Map<number, number>();
    for (const token of held.sort((a, b) => a - b)) expected.set(token, (expected.get(token) ?? 0) + 1);
    const { tokenIndices, counts } = await engine.keptUnits();
    expect([...tokenIndices]).toEqual([...expected.keys()]);
    expect([...counts]).toEqual([...expected.values()]);
    // The pinned tokens are in every head, others only in some.
    const { layers, kvHeads } = engine.description.shape;
    expect(counts[0]).toBe(layers.length * kvHeads);
    expect(Math.min(...counts)).toBeLessThan(layers.length * kvHeads);
  });

  it('restores a copied cache to bit-identical answers', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(150), { evict: 'final' });
    const layers = await wholeCache(engine);
    const { nextTokenIndex } = await engine.stats();
    const expected = await continuation(engine, someTokens(9, 4));
    const other = await openEngine();
    await other.extend(someTokens(40, 8), { evict: 'none' });
    await other.importLayers(oneByOne(layers), nextTokenIndex);
    expect(await continuation(other, someTokens(9, 4))).toEqual(expected);
    expect(await other.stats()).toMatchObject({ nextTokenIndex: 150, length: 48 });
  });

  it('refuses layers that do not fit', async () => {
    const engine = await openEngine();
    await engine.extend(someTokens(20), { evict: 'none' });
    const layers = await wholeCache(engine);
    const first = layers[0];
    if (first === undefined) throw new Error('no layer');
    for (const wrong of [
      layers.slice(1),
      [...layers, first],
      [first, { ...first, length: 19 }, first],
      [first, { ...first, keys: first.keys.slice(1) }, first],
    ]) {
      await expect(engine.importLayers(oneByOne(wrong), 20)).rejects.toMatchObject({ code: 'snapshot-foreign' });
    }
  });
});

describe('opening', () => {
  it.each([
    [{ chunk: 0 }, /chunk/],
    [{ stabilizers: 45 }, /at most 48 stabilizers/],
    [{ capacity: 40 }, /capacity of at least the budget/],
  ])('refuses a plan that does not add up: %o', async (plan, message) => {
    await expect(openEngine(plan)).rejects.toThrow(message);
  });

  it('refuses the policy of retaining heads without them', async () => {
    const options = { model, policy: 'locret', precision: 'float32', threads: 1, cacheFolder, plan: sizes } as const;
    await expect(createProcessorEngine(options)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('tells models, heads, precisions and policies apart by the fingerprint', async () => {
    const engines = [
      await openEngine(),
      await openEngine({}, { precision: 'int8' }),
      await openEngine({}, { policy: 'key-difference' }),
    ];
    expect(new Set(engines.map(({ description }) => description.fingerprint)).size).toBe(3);
    const again = await openEngine();
    expect(again.description.fingerprint).toBe(engines[0]?.description.fingerprint);
  });
});
