import { describe, expect, it } from 'vitest';
import { structureNames } from '../../../../server/contract/words.js';
import { LocretError } from '../../../../server/errors.js';
import { readingIdentity } from '../../../../server/memory/keeping/cache-files.js';
import { planMemory } from '../../../../server/backends/processor/plan.js';
import type { HeadsSize, MemoryPlan, PlanSettings } from '../../../../server/memory/planning/plan.js';
import { beginningTokens, promptFrame } from '../../../../server/model/prompt-frame.js';
import { renderPlan } from '../../../../server/memory/planning/render-plan.js';
import { openModel, type LoadedModel } from '../../../../server/model/model.js';
import { equalLayers, layerOf, type ModelShape } from '../../../../server/model/shape.js';
import { fixture } from '../../model/model-folder.js';
import { nano, nanoEngine, surveyOptions } from '../repository-under-test.js';

const plenty = 64 * 2 ** 30;
const headsSize: HeadsSize = { input: 'qkv', width: 64 };
type Sizes = Partial<Omit<ModelShape, 'layers'>> & { readonly layers: number };
/** The shape of Qwen2.5-Coder-0.5B. */
const halfBillion: Sizes = {
  layers: 24,
  hidden: 896,
  heads: 14,
  kvHeads: 2,
  headDim: 64,
  feedForward: 4864,
  vocabulary: 151_936,
  maxPositions: 32_768,
};

async function modelOf({ layers, ...shape }: Partial<Sizes>): Promise<LoadedModel> {
  const model = await openModel(fixture('qwen2'));
  const layer = layerOf(model.shape, 0);
  return {
    ...model,
    shape: { ...model.shape, ...shape, layers: equalLayers(layers ?? model.shape.layers.length, layer) },
    locret: { heads: 'heads.safetensors' },
  };
}

const planOf = (model: LoadedModel, settings: Partial<PlanSettings> = {}, free = plenty): MemoryPlan =>
  planMemory(model, { threads: 2, ...settings }, headsSize, free);

function refusal(plan: () => unknown): LocretError {
  try {
    plan();
  } catch (error) {
    if (error instanceof LocretError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the plan of a memory', () => {
  it("takes the bundled model's sizes from its folder, exact weights, and its whole window", async () => {
    const plan = planOf(await nano());
    expect(plan).toMatchObject({ local: 16, window: 1024, policy: 'locret', precision: 'float32', notices: [] });
    expect(plan.cache).toEqual({ budget: 64, chunk: 256, stabilizers: 16, pinned: 0, capacity: 1024 });
  });

  it('chooses sizes from the window of a model that says nothing', async () => {
    const model = await modelOf(halfBillion);
    const { cache, local, precision } = planOf(model);
    expect(precision).toBe('int8');
    expect(local).toBe(100);
    expect(cache).toMatchObject({ budget: 16_384, chunk: 1024, stabilizers: 2500 });
    expect(cache.capacity).toBe(16_384 + 100 + 4096);
  });

  it("pins the prompt's beginning", async () => {
    const model = await modelOf(halfBillion);
    expect(planOf(model).cache.pinned).toBe(beginningTokens(model, promptFrame(model).before).length);
  });

  it('takes what the user chose', async () => {
    const chosen = { budget: 512, chunk: 128, stabilizers: 100, local: 20 };
    const { cache, local } = planOf(await modelOf(halfBillion), { ...chosen, precision: 'int4', threads: 3 });
    expect({ ...cache, local }).toMatchObject(chosen);
  });

  it('never exempts more than the budget holds', async () => {
    const model = await modelOf(halfBillion);
    const { cache } = planOf(model, { budget: 512, stabilizers: 5000 });
    expect(cache.stabilizers + cache.pinned).toBe(512);
  });

  it.each([512, 1024, 4096, 32_768, 131_072])('fits into a window of %i with room for an answer', async (window) => {
    const { cache, local } = planOf(await modelOf({ ...halfBillion, maxPositions: window }));
    expect(cache.capacity).toBeLessThanOrEqual(window);
    expect(cache.budget + local + Math.max(cache.chunk, 192)).toBeLessThanOrEqual(cache.capacity);
    expect(cache.stabilizers + cache.pinned).toBeLessThanOrEqual(cache.budget);
  });

  it.each([
    [{ budget: 512 }, 512 + 1024 - 16 - 256 - 512],
    [{ budget: 128 }, Infinity],
  ])(
    'divides the budget as it is told, in the same memory, as far as the window goes: %o',
    async ({ budget }, most) => {
      const model = await nano();
      const even = planOf(model, { budget, allocation: 'even' });
      expect(even.cache.uneven).toBeUndefined();
      const allocation = 'pyramid';
      const { cache, local, window, bytes } = planOf(model, { budget, allocation });
      const longest = cache.uneven?.longest ?? 0;
      // Twice the budget but for what is exempt and the twentieth.
      const wanted = budget + (budget - cache.stabilizers) - Math.floor((budget - cache.stabilizers) / 20);
      expect(longest).toBe(Math.min(wanted, most));
      expect(longest + local + Math.max(cache.chunk, 192)).toBeLessThanOrEqual(window);
      expect(longest + cache.capacity - cache.budget).toBeLessThanOrEqual(window);
      expect(bytes.cache).toBeLessThanOrEqual(even.bytes.cache);
      expect(planOf({ ...model, locret: { ...model.locret, allocation } }, { budget }).cache).toEqual(cache);
    },
  );

  it('takes equal budgets where there is nothing to divide', async () => {
    const flat = await modelOf({ ...halfBillion, layers: 1 });
    expect(planOf(flat, { allocation: 'pyramid' }).cache).not.toHaveProperty('uneven');
  });

  it('counts heads that read the hidden state as the smaller they are', async () => {
    const model = await modelOf(halfBillion);
    const weights = (input: HeadsSize['input']): number =>
      planMemory(model, { threads: 2 }, { input, width: 1024 }, plenty).bytes.weights;
    const { hidden = 0, heads = 0, kvHeads = 0, headDim = 0, layers } = halfBillion;
    const fewer = layers * 1024 * ((heads + 2 * kvHeads) * headDim - hidden);
    expect(weights('qkv') - weights('hidden')).toBeCloseTo(2.2 * fewer, -1);
  });

  it('says that a model without retaining heads answers worse, and keeps the first units', async () => {
    const model = { ...(await nano()), locret: { instructions: '' } };
    const plan = planOf(model);
    expect(plan.policy).toBe('key-difference');
    expect(plan.cache.pinned).toBe(4);
    expect(plan.notices).toEqual([expect.stringContaining('Answers will be worse')]);
  });
});

describe('a plan for people', () => {
  it.each([
    ['even', 'every KV head keeps the budget'],
    ['pyramid', 'the lowest layer keeps'],
  ] as const)('says how the budget is divided: %s', async (allocation, note) => {
    const model = await nano();
    const row = renderPlan(model, planOf(model, { allocation }))
      .split('\n')
      .find((line) => line.startsWith('allocation'));
    expect(row).toMatch(new RegExp(`^allocation +${allocation}  `));
    expect(row).toContain(note);
  });
});

describe('what stays before all else', () => {
  it('is what was chosen, or what the model says, or nothing', async () => {
    const model = await nano();
    expect(planOf(model).structure).toBe('definitions');
    expect(planOf(model, { structure: 'headers' }).structure).toBe('headers');
    expect(planOf(await modelOf({})).structure).toBe('none');
  });

  it('is nothing under a policy that reads no scores, and refused where it was chosen', async () => {
    const model = await nano();
    expect(planOf(model, { policy: 'key-difference' }).structure).toBe('none');
    expect(() => planOf(model, { policy: 'key-difference', structure: 'headers' })).toThrow(
      'The policy "key-difference" keeps no headers before all else',
    );
  });

  it('tells memories apart', async () => {
    const model = await nano();
    const identities = structureNames.map((structure) =>
      readingIdentity({ root: '/repo', model, plan: planOf(model, { structure }), options: surveyOptions }),
    );
    expect(new Set(identities).size).toBe(structureNames.length);
  });
});

describe('a plan that is refused', () => {
  it('needs more than the window, and says how much', async () => {
    const model = await nano();
    const { code, message } = refusal(() => planOf(model, { budget: 900 }));
    expect(code).toBe('window-too-small');
    expect(message).toContain('1024 positions');
    expect(message).toContain('a budget of 900, a local part of 16 and 256');
    expect(refusal(() => planOf(model, { local: 2000 })).code).toBe('window-too-small');
    expect(refusal(() => planOf(model, { chunk: 2000 })).code).toBe('window-too-small');
  });

  it("has a budget that the prompt's beginning fills", async () => {
    const model = await modelOf(halfBillion);
    expect(refusal(() => planOf(model, { budget: 8 })).code).toBe('window-too-small');
  });

  it('asks for retaining heads of a model without', async () => {
    const model = { ...(await nano()), locret: {} };
    expect(refusal(() => planOf(model, { policy: 'locret' })).code).toBe('invalid-argument');
  });

  it('needs more memory than is free, and shows the sum', async () => {
    const model = await modelOf(halfBillion);
    const { code, message, remedy } = refusal(() => planOf(model, { budget: 16_384 }, 2 ** 29));
    expect(code).toBe('out-of-memory');
    expect(message).toMatch(/weights \(int8\) [\d.]+ GB \+ cache [\d.]+ GB .* = [\d.]+ GB, and 0\.50 GB are free/);
    expect(remedy).toContain('int4');
  });
});

describe('the bytes of a plan', () => {
  it('count the cache exactly as the engine allocates it', async () => {
    const plan = planOf(await nano());
    const engine = await nanoEngine(plan.cache);
    expect((await engine.stats()).cacheBytes).toBe(plan.bytes.cache);
  });

  it('count no fewer weights than the engine holds', async () => {
    const plan = planOf(await nano());
    const engine = await nanoEngine(plan.cache);
    expect(plan.bytes.weights).toBeGreaterThanOrEqual((await engine.stats()).weightBytes);
  });

  it('add up to the peak, in which packing the weights is over before the cache is filled', async () => {
    const { bytes } = planOf(await modelOf(halfBillion));
    const running = bytes.weights + bytes.cache + bytes.activations;
    expect(bytes.peak).toBe(bytes.program + Math.max(running, bytes.packing));
    // The embedding is the largest matrix: it is packed from float32.
    expect(bytes.packing).toBeGreaterThanOrEqual(2 * 4 * 151_936 * 896);
  });

  it('shrink with the precision of the weights', async () => {
    const model = await modelOf(halfBillion);
    const [float32, int8, int4] = (['float32', 'int8', 'int4'] as const).map(
      (precision) => planOf(model, { precision }).bytes.weights,
    );
    expect(int8).toBeLessThan((float32 ?? 0) / 3);
    expect(int4).toBeLessThan(int8 ?? 0);
  });

  it('shrink with a budget that is chosen to fit what is free, and not one that the user chose', async () => {
    const model = await modelOf(halfBillion);
    const whole = planOf(model);
    const free = whole.bytes.peak - 2 ** 20;
    const smaller = planOf(model, {}, free);
    expect(smaller.cache.budget).toBe(8192);
    expect(smaller.bytes.peak).toBeLessThanOrEqual(free);
    expect(refusal(() => planOf(model, { budget: 16_384 }, free)).code).toBe('out-of-memory');
  });
});

describe('the plan for people', () => {
  it('names every size and what is free', async () => {
    const model = await nano();
    const text = renderPlan(model, planOf(model, {}, 2 ** 30));
    expect(text).toMatch(/^model +nano +qwen3, 6 layers × 2 KV heads$/m);
    expect(text).toMatch(/^budget +64 /m);
    expect(text).toMatch(/^behind +944 /m);
    expect(text).toMatch(/^cache +6\.1 MB /m);
    expect(text).toMatch(/^peak +[\d.]+ MB +of 1\.0 GB free$/m);
  });
});
