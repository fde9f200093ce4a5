import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../../../server/backends/index.js';
import { loadCudaBinding } from '../../../../server/backends/cuda/binding.js';
import { cachePrecisions } from '../../../../server/contract/words.js';
import type { AttentionMass, CachePlan, ChunkReport, Engine, EngineOptions } from '../../../../server/engine/engine.js';
import type { PolicyName } from '../../../../server/eviction/policy.js';
import { readModelShape } from '../../../../server/model/hub-folder/config.js';
import { initialWeights, writeHeads } from '../../../../server/training/head-weights.js';
import { cudaBinding, cudaDevice, hasCuda } from '../../../cuda-under-test.js';
import { continuation, greedy, oneByOne, someTokens, wholeCache } from '../processor/small-engine.js';

const model = fileURLToPath(new URL('../../../fixtures/locret', import.meta.url));
const heads = path.join(model, 'heads.safetensors');
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-cuda-'));
const sizes: CachePlan = { budget: 48, chunk: 32, stabilizers: 8, pinned: 4, capacity: 128 };
const vocabulary = 512;
/** The policies that a device has. */
const policyNames: readonly PolicyName[] = ['locret', 'key-difference', 'sink-recent'];
const open: Engine[] = [];

async function openOn(name: 'cpu' | 'cuda', options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await createEngine({
    model,
    heads,
    policy: 'locret',
    precision: 'float32',
    threads: 1,
    cacheFolder,
    plan: sizes,
    ...(name === 'cuda' ? { backend: cudaDevice() } : {}),
    ...options,
  });
  open.push(engine);
  return engine;
}

const openCuda = (options: Partial<EngineOptions> = {}): Promise<Engine> => openOn('cuda', options);
const openBoth = (options: Partial<EngineOptions> = {}): Promise<Engine[]> =>
  Promise.all([openOn('cpu', options), openOn('cuda', options)]);

/** Which tokens' units are where. */
const places = async (engine: Engine): Promise<number[][]> =>
  (await wholeCache(engine)).map(({ tokenIndices }) => [...tokenIndices]);

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.dispose();
});

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

describe.skipIf(!hasCuda)('the CUDA engine beside the one on the processor', () => {
  it.each(policyNames)('keeps the same units by the policy %s, chunk by chunk', async (policy) => {
    const decisions = await Promise.all(
      (await openBoth({ policy })).map(async (engine) => {
        const reports: ChunkReport[] = [];
        const onChunk = (report: ChunkReport): void => void reports.push(report);
        await engine.extend(someTokens(200), { evict: 'final', detail: true, onChunk });
        return reports.map(({ begin, end, length, layers }) => ({
          place: [begin, end, length],
          kept: layers?.map(({ keptSlots, keptTokens }) => ({ keptSlots, keptTokens })),
        }));
      }),
    );
    expect(decisions[1]).toEqual(decisions[0]);
  });

  it('keeps the same units by retaining heads on hidden states', async () => {
    const onHidden = path.join(cacheFolder, 'hidden.safetensors');
    const shape = readModelShape(model);
    await writeHeads(onHidden, initialWeights(shape, 'hidden', 32, 3), shape, 'hidden', {});
    const kept = await Promise.all(
      (await openBoth({ heads: onHidden })).map(async (engine) => {
        await engine.extend(someTokens(200), { evict: 'final' });
        return places(engine);
      }),
    );
    expect(kept[1]).toEqual(kept[0]);
    const other = await openCuda();
    await other.extend(someTokens(200), { evict: 'final' });
    expect(await places(other)).not.toEqual(kept[0]);
  });

  it('keeps the same units of structure before others', async () => {
    const structure = Uint8Array.from(someTokens(200), (_, i) => (i % 7 === 0 ? 1 : 0));
    const kept = await Promise.all(
      (await openBoth()).map(async (engine) => {
        await engine.extend(someTokens(200), { evict: 'final', structure });
        return places(engine);
      }),
    );
    expect(kept[1]).toEqual(kept[0]);
    const counts = kept[1]?.map((tokens) => tokens.filter((token) => token % 7 === 0).length);
    const heads = (kept[1]?.[0]?.length ?? 0) / sizes.budget;
    expect(counts?.every((count) => count === heads * Math.ceil(200 / 7))).toBe(true);
  });

  it.each(policyNames)('forgets the same units by the policy %s', async (policy) => {
    const [onnx, cuda] = await openBoth({ policy });
    if (onnx === undefined || cuda === undefined) throw new Error('no engines');
    for (const ranges of [
      [
        { begin: 60, end: 90 },
        { begin: 20, end: 40 },
      ],
      [{ begin: 2, end: 3 }],
      [{ begin: 500, end: 600 }],
    ]) {
      const dropped = await Promise.all(
        [onnx, cuda].map(async (engine) => {
          await engine.reset();
          await engine.extend(someTokens(150), { evict: 'final' });
          return engine.forget(ranges);
        }),
      );
      expect(dropped[1]).toBe(dropped[0]);
      expect(await places(cuda)).toEqual(await places(onnx));
      expect(await cuda.keptUnits()).toEqual(await onnx.keptUnits());
    }
  });

  it('tells the same attention of a question and of an answer', async () => {
    const masses = await Promise.all(
      (await openBoth()).map(async (engine) => {
        await engine.extend(someTokens(150), { evict: 'final' });
        const question = await engine.extend(someTokens(40, 5), { evict: 'none', observe: 36 });
        const answer = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [], observe: true });
        return [question.attention, answer.attention];
      }),
    );
    const byToken = (attention: AttentionMass | undefined): Map<number, number> =>
      new Map(Array.from(attention?.tokenIndices ?? [], (token, i) => [token, attention?.mass[i] ?? 0]));
    for (const which of [0, 1]) {
      const [expected, found] = masses.map((pair) => byToken(pair[which]));
      expect([...(found?.keys() ?? [])]).toEqual([...(expected?.keys() ?? [])]);
      for (const [token, mass] of expected ?? []) expect(found?.get(token)).toBeCloseTo(mass, 5);
    }
  });

  it('tells attention also where units leave between the chunks that are observed', async () => {
    const [expected, found] = await Promise.all(
      (await openBoth()).map(
        async (engine) =>
          (await engine.extend(someTokens(120), { evict: 'between-chunks', observe: 90 })).attention ?? fail('no mass'),
      ),
    );
    expect([...(found?.tokenIndices ?? [])]).toEqual([...(expected?.tokenIndices ?? [])]);
    found?.mass.forEach((mass, i) => {
      expect(mass).toBeCloseTo(expected?.mass[i] ?? NaN, 5);
    });
  });
});

function fail(message: string): never {
  throw new Error(message);
}

describe.skipIf(!hasCuda)('the cache of the other engine', () => {
  it.each([
    ['the processor', 'cpu', 'cuda'],
    ['a GPU', 'cuda', 'cpu'],
  ] as const)('of %s is refused: its form is another one', async (_, from, to) => {
    const source = await openOn(from);
    await source.extend(someTokens(20), { evict: 'none' });
    const target = await openOn(to);
    const restoring = target.importLayers(oneByOne(await wholeCache(source)), 20);
    await expect(restoring).rejects.toMatchObject({ code: 'snapshot-foreign' });
    expect(await target.stats()).toMatchObject({ length: 0 });
    await target.extend(someTokens(20), { evict: 'none' });
  });
});

describe.skipIf(!hasCuda)('the CUDA engine', () => {
  it('leaves no trace after a rewind: bit-identical cache and answers', async () => {
    const engine = await openCuda();
    await engine.extend(someTokens(150), { evict: 'final' });
    const before = await wholeCache(engine);
    const first = await continuation(engine, someTokens(20, 7));
    await continuation(engine, someTokens(33, 9));
    expect(await wholeCache(engine)).toEqual(before);
    expect(await continuation(engine, someTokens(20, 7))).toEqual(first);
  });

  it('gives the same cache whatever the call boundaries are, when they fall between chunks', async () => {
    const tokens = someTokens(160);
    const whole = await openCuda();
    await whole.extend(tokens, { evict: 'between-chunks' });
    const parts = await openCuda();
    await parts.extend(tokens.slice(0, 64), { evict: 'between-chunks' });
    await parts.extend(tokens.slice(64), { evict: 'between-chunks' });
    expect(await wholeCache(parts)).toEqual(await wholeCache(whole));
  });

  it('decodes token by token, by its recorded graph, what a prefill of the same tokens gives', async () => {
    const engine = await openCuda();
    await engine.extend(someTokens(100), { evict: 'final' });
    const mark = await engine.mark();
    await engine.extend(someTokens(5, 3), { evict: 'none' });
    const { tokens, logits } = await engine.generate({ maxTokens: 6, sampling: greedy, stopTokens: [], logits: true });
    await engine.rewind(mark);
    const again = await engine.extend([...someTokens(5, 3), ...tokens], { evict: 'none', logits: 'all' });
    logits?.forEach((logit, i) => {
      expect(Math.abs(logit - (again.logits[4 * vocabulary + i] ?? NaN))).toBeLessThan(5e-5);
    });
  });

  it('chooses greedily on the device what the sampler would choose', async () => {
    const engine = await openCuda();
    const generate = async (sampling: typeof greedy) => {
      await engine.reset();
      await engine.extend(someTokens(20), { evict: 'none' });
      return (await engine.generate({ maxTokens: 12, sampling, stopTokens: [] })).tokens;
    };
    // With top-k the sampler is asked, and one token is left to choose from.
    expect(await generate(greedy)).toEqual(await generate({ ...greedy, temperature: 1, topK: 1 }));
  });

  it.each(cachePrecisions)('restores a copied %s cache bit by bit, to the same answers', async (cachePrecision) => {
    const options = { precision: 'bfloat16', backend: cudaDevice(cachePrecision) } as const;
    const engine = await openCuda(options);
    await engine.extend(someTokens(150), { evict: 'final' });
    const layers = await wholeCache(engine);
    const { nextTokenIndex } = await engine.stats();
    const expected = await continuation(engine, someTokens(9, 4));
    const other = await openCuda(options);
    await other.extend(someTokens(40, 8), { evict: 'none' });
    await other.importLayers(oneByOne(layers), nextTokenIndex);
    expect(await wholeCache(other)).toEqual(layers);
    expect(await continuation(other, someTokens(9, 4))).toEqual(expected);
    expect(await other.stats()).toMatchObject({ nextTokenIndex: 150, length: 48 });
  });

  it('holds less with a quantized cache', async () => {
    const bytes = await Promise.all(
      cachePrecisions.map(async (precision) => {
        const engine = await openCuda({ precision: 'bfloat16', backend: cudaDevice(precision) });
        return (await engine.stats()).cacheBytes;
      }),
    );
    expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
    expect(new Set(bytes).size).toBe(3);
  });

  it('refuses layers that do not fit', async () => {
    const engine = await openCuda();
    await engine.extend(someTokens(20), { evict: 'none' });
    const layers = await wholeCache(engine);
    const first = layers[0];
    if (first === undefined) throw new Error('no layer');
    const { packed = new Uint8Array(0), ...unpacked } = first;
    for (const wrong of [
      layers.slice(1),
      [...layers, first],
      [first, { ...first, length: 19 }, first],
      [first, { ...first, packed: packed.slice(1) }, first],
      [unpacked, first, first],
    ]) {
      await expect(engine.importLayers(oneByOne(wrong), 20)).rejects.toMatchObject({ code: 'snapshot-foreign' });
    }
  });

  it('stops between chunks when cancelled, with a cache that can be used', async () => {
    const engine = await openCuda();
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
    await engine.extend(someTokens(5), { evict: 'between-chunks' });
  });

  it.each([
    ['too many tokens for the capacity', someTokens(129), /128 units.*139/],
    ['a token that the model does not have', [1, vocabulary], /Token 512/],
    ['a negative token', [-1], /Token -1/],
  ])('refuses %s and stays as it is', async (_, tokens, message) => {
    const engine = await openCuda();
    await engine.extend(someTokens(10), { evict: 'between-chunks' });
    await expect(engine.extend(tokens, { evict: 'none' })).rejects.toThrow(message);
    expect(await engine.stats()).toMatchObject({ length: 10, nextTokenIndex: 10 });
  });

  it('goes on at a given token index and refuses one that is not behind the others', async () => {
    const engine = await openCuda();
    await engine.extend(someTokens(5), { evict: 'none', firstTokenIndex: 100 });
    expect([...(await engine.exportLayer(0)).tokenIndices.slice(0, 5)]).toEqual([100, 101, 102, 103, 104]);
    await expect(engine.extend([1], { evict: 'none', firstTokenIndex: 104 })).rejects.toThrow(/not behind/);
  });

  it('has nothing to continue on an empty or rewound cache, and ends where the cache is full', async () => {
    const engine = await openCuda({ plan: { ...sizes, capacity: 60 } });
    const options = { maxTokens: 50, sampling: greedy, stopTokens: [] };
    await expect(engine.generate(options)).rejects.toThrow(/nothing to continue/);
    const mark = await engine.mark();
    await engine.extend(someTokens(50), { evict: 'none' });
    expect(await engine.generate(options)).toMatchObject({ end: 'capacity' });
    await engine.rewind(mark);
    await expect(engine.generate(options)).rejects.toThrow(/nothing to continue/);
  });

  it('refuses to rewind over an eviction', async () => {
    const engine = await openCuda();
    const mark = await engine.mark();
    await engine.extend(someTokens(100), { evict: 'between-chunks' });
    await expect(engine.rewind(mark)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('gives all device memory back, and holds what was planned until then', async () => {
    const binding = loadCudaBinding(cudaBinding);
    expect(binding.memory().allocatedBytes).toBe(0);
    const engine = await openCuda();
    const held = binding.memory().allocatedBytes;
    const { weightBytes, cacheBytes } = await engine.stats();
    expect(held).toBeGreaterThan(weightBytes + cacheBytes);
    for (let cycle = 0; cycle < 20; cycle++) {
      const mark = await engine.mark();
      await engine.extend(someTokens(20, cycle), { evict: 'none' });
      await engine.rewind(mark);
      await engine.importLayers(oneByOne(await wholeCache(engine)), 0);
    }
    expect(binding.memory().allocatedBytes).toBe(held);
    await engine.dispose();
    expect(binding.memory().allocatedBytes).toBe(0);
  });

  it('tells precisions, caches and policies apart by the fingerprint', async () => {
    const engines = await Promise.all([
      openCuda(),
      openCuda({ precision: 'bfloat16' }),
      openCuda({ backend: cudaDevice('int8') }),
      openCuda({ policy: 'sink-recent' }),
      openOn('cpu'),
    ]);
    expect(new Set(engines.map(({ description }) => description.fingerprint)).size).toBe(5);
  });
});
