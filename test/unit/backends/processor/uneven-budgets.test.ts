import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { CachePlan, Engine, EngineOptions, LayerCache } from '../../../../server/engine/engine.js';
import { createProcessorEngine } from '../../../../server/backends/processor/engine.js';
import { registerRivals } from '../../../../research/policies/register.js';
import { policyNames } from '../../../../server/eviction/policy-by-name.js';
import { greedy, oneByOne, wholeCache } from './small-engine.js';

registerRivals();
const model = fileURLToPath(new URL('../../../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-engine-'));
const sizes: CachePlan = { budget: 48, chunk: 32, stabilizers: 8, pinned: 4, capacity: 128 };
const pyramid: CachePlan = { ...sizes, uneven: { allocation: 'pyramid', longest: 80 } };
const open: Engine[] = [];

async function openEngine(plan: CachePlan, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const common = { model, heads, policy: 'locret', precision: 'float32', threads: 1, cacheFolder, plan } as const;
  const engine = await createProcessorEngine({ ...common, ...options });
  open.push(engine);
  return engine;
}

const someTokens = (count: number, seed = 7): number[] =>
  Array.from({ length: count }, (_, i) => (i * i * 31 + i * seed + 11) % 512);

/** Units of each head of each layer. */
const lengthsOf = (layers: readonly LayerCache[]): number[][] =>
  layers.map(({ length, tokenIndices }) => new Array<number>(tokenIndices.length / length).fill(length));

/** The token indices of each head of each layer. */
function headsOf(layers: readonly LayerCache[]): number[][] {
  return layers.flatMap(({ length, tokenIndices }) =>
    Array.from({ length: tokenIndices.length / length }, (_, head) => [
      ...tokenIndices.subarray(head * length, (head + 1) * length),
    ]),
  );
}

/** What comes of a question: logits of its last token, and an answer. */
async function answer(engine: Engine): Promise<{ logits: number[]; tokens: readonly number[] }> {
  const mark = await engine.mark();
  const { logits } = await engine.extend(someTokens(9, 3), { evict: 'none', logits: 'last' });
  const { tokens } = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [] });
  await engine.rewind(mark);
  return { logits: [...logits], tokens };
}

function expectClose(numbers: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(numbers.length).toBe(expected.length);
  for (let i = 0; i < numbers.length; i++)
    expect(Math.abs((numbers[i] ?? NaN) - (expected[i] ?? NaN))).toBeLessThan(tolerance);
}

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

describe('the allocation pyramid', () => {
  const plan = pyramid;

  it('keeps the mean budget, takes the memory of equal budgets and leaves as much room behind', async () => {
    const engine = await openEngine(plan);
    const even = await openEngine(sizes);
    for (const each of [engine, even]) await each.extend(someTokens(200), { evict: 'final' });
    const lengths = lengthsOf(await wholeCache(engine)).flat();
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(48 * lengths.length);
    expect(new Set(lengths).size).toBeGreaterThan(1);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(80);
    expect(await engine.stats()).toMatchObject({ length: 48, cacheBytes: (await even.stats()).cacheBytes });
    await engine.extend(someTokens(80), { evict: 'none' });
    await expect(engine.extend([1], { evict: 'none' })).rejects.toThrow(/128 units.*129/);
  });

  it('keeps the pinned units and, between chunks, the newest ones in every head', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(160), { evict: 'between-chunks' });
    for (const head of headsOf(await wholeCache(engine))) {
      expect(head.slice(0, 4)).toEqual([0, 1, 2, 3]);
      expect(head.slice(-8)).toEqual([152, 153, 154, 155, 156, 157, 158, 159]);
      expect(head).toEqual([...new Set(head)].sort((a, b) => a - b));
    }
  });

  it('is the even one where no head may keep more than the budget', async () => {
    const same = await openEngine({
      ...plan,
      uneven: { allocation: 'pyramid', longest: 48 },
    });
    const even = await openEngine(sizes);
    for (const engine of [same, even]) await engine.extend(someTokens(200), { evict: 'final' });
    const caches = await Promise.all([same, even].map(wholeCache));
    for (const [layer, expected] of caches[1]?.entries() ?? []) {
      const found = caches[0]?.[layer];
      expect(found?.tokenIndices).toEqual(expected.tokenIndices);
      expectClose(found?.keys ?? [], expected.keys, 1e-5);
      expectClose(found?.values ?? [], expected.values, 1e-5);
    }
    const answers = [await answer(same), await answer(even)];
    expect(answers[0]?.tokens).toEqual(answers[1]?.tokens);
    expectClose(answers[0]?.logits ?? [], answers[1]?.logits ?? [], 1e-4);
  });

  it('decodes token by token what a prefill of the same tokens gives', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(200), { evict: 'final' });
    const mark = await engine.mark();
    await engine.extend(someTokens(5, 3), { evict: 'none' });
    const { tokens, logits } = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [], logits: true });
    await engine.rewind(mark);
    const again = await engine.extend([...someTokens(5, 3), ...tokens], { evict: 'none', logits: 'all' });
    expectClose(logits ?? [], again.logits.subarray(4 * 512, 10 * 512), 5e-5);
  });

  it('turns keys to the slots they stand in: units that stay are as if the others had never been read', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(200), { evict: 'final' });
    const [first] = await wholeCache(engine);
    const fresh = await openEngine({ ...sizes, budget: Infinity, capacity: 256 });
    // Keys of layer 0 depend on the token and its slot alone.
    let begin = 0;
    for (const [head, length] of lengthsOf(first === undefined ? [] : [first])[0]?.entries() ?? []) {
      const indices = first?.tokenIndices.subarray(begin, begin + length) ?? new Int32Array(0);
      const all = someTokens(200);
      const before = (first?.nextSlot ?? 0) - length;
      await fresh.reset();
      await fresh.extend([...someTokens(before), ...Array.from(indices, (index) => all[index] ?? 0)], {
        evict: 'none',
      });
      const { keys } = await fresh.exportLayer(0);
      const { headDim } = engine.description.shape;
      const at = (head * (before + length) + before) * headDim;
      expectClose(
        first?.keys.subarray(begin * headDim, (begin + length) * headDim) ?? [],
        keys.subarray(at, at + length * headDim),
        1e-4,
      );
      begin += length;
    }
  });

  it('gives the same cache whatever the calls, and after a restore between chunks', async () => {
    const tokens = someTokens(192);
    const whole = await openEngine(plan);
    await whole.extend(tokens, { evict: 'final' });
    const inParts = await openEngine(plan);
    await inParts.extend(tokens.slice(0, 96), { evict: 'between-chunks' });
    const restored = await openEngine(plan);
    await restored.extend(someTokens(150, 5), { evict: 'between-chunks' });
    await restored.importLayers(oneByOne(await wholeCache(inParts)), 96);
    for (const engine of [inParts, restored]) {
      await engine.extend(tokens.slice(96), { evict: 'final' });
      expect(await wholeCache(engine)).toEqual(await wholeCache(whole));
      expect(await answer(engine)).toEqual(await answer(whole));
    }
  });

  it('forgets tokens and goes on within its budgets', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(200), { evict: 'final' });
    const before = (await engine.stats()).length;
    expect(await engine.forget([{ begin: 60, end: 150 }])).toBeGreaterThan(0);
    const layers = await wholeCache(engine);
    for (const head of headsOf(layers)) expect(head.some((token) => token >= 60 && token < 150)).toBe(false);
    expect((await engine.stats()).length).toBeLessThanOrEqual(before);
    const { tokenIndices, counts } = await engine.keptUnits();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(
      lengthsOf(layers)
        .flat()
        .reduce((sum, length) => sum + length, 0),
    );
    expect(tokenIndices.at(-1)).toBeLessThan(200);
    for (let round = 0; round < 6; round++) await engine.extend(someTokens(32, round), { evict: 'between-chunks' });
    const lengths = lengthsOf(await wholeCache(engine)).flat();
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(48 * lengths.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(80);
    expect((await answer(engine)).tokens).toHaveLength(6);
  });

  it('tells the attention of a question: it sums to 1', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(150), { evict: 'final' });
    const { attention } = await engine.extend(someTokens(20, 5), { evict: 'none', observe: 16 });
    expect(attention?.mass.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    const observed = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [], observe: true });
    expect(observed.attention?.mass.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(observed.attention?.tokenIndices.at(-1)).toBeLessThan(170);
  });

  it.each(policyNames)('works with the policy %s', async (policy) => {
    const engine = await openEngine(plan, { policy });
    await engine.extend(someTokens(160), { evict: 'final' });
    const lengths = lengthsOf(await wholeCache(engine)).flat();
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(48 * lengths.length);
    expect((await answer(engine)).tokens).toHaveLength(6);
  });

  it('refuses the cache of equal budgets, and lengths that do not fit', async () => {
    const engine = await openEngine(plan);
    await engine.extend(someTokens(160), { evict: 'final' });
    const layers = await wholeCache(engine);
    const even = await openEngine(sizes);
    await even.extend(someTokens(160), { evict: 'final' });
    const changed = (change: Partial<LayerCache>): LayerCache[] => layers.map((layer) => ({ ...layer, ...change }));
    for (const wrong of [
      await wholeCache(even),
      changed({ length: 200 }),
      changed({ length: -1 }),
      changed({ nextSlot: 3 }),
      changed({ nextSlot: 500 }),
    ]) {
      await expect(engine.importLayers(oneByOne(wrong), 160)).rejects.toMatchObject({ code: 'snapshot-foreign' });
      expect(await engine.stats()).toMatchObject({ nextTokenIndex: 0 });
    }
    await expect(even.importLayers(oneByOne(layers), 160)).rejects.toMatchObject({ code: 'snapshot-foreign' });
  });
});

describe('uneven budgets', () => {
  it('keep more in lower layers', async () => {
    const engine = await openEngine(pyramid);
    await engine.extend(someTokens(200), { evict: 'final' });
    const byLayer = lengthsOf(await wholeCache(engine));
    expect(byLayer[0]?.[0]).toBe(80);
    expect(byLayer.flat()).toEqual(byLayer.flat().sort((a, b) => b - a));
  });

  it('are another memory: the fingerprint tells', async () => {
    const engines = [await openEngine(sizes), await openEngine(pyramid)];
    expect(new Set(engines.map(({ description }) => description.fingerprint)).size).toBe(2);
  });

  it.each([
    [{ ...pyramid, uneven: { allocation: 'pyramid', longest: 40 } } as const],
    [{ ...pyramid, budget: Infinity }],
  ])('are refused without a budget, or with a longest layer below it', async (plan) => {
    await expect(openEngine(plan)).rejects.toThrow(/longest layer/);
  });
});
