import { describe, expect, it } from 'vitest';
import { registerRivals } from '../../../../research/policies/register.js';
import { loadCudaBinding } from '../../../../server/backends/cuda/binding.js';
import type { CudaPresence, UsableCuda, UsableDevice } from '../../../../server/backends/cuda/devices.js';
import { findCuda } from '../../../../server/backends/cuda/devices.js';
import type { Backend } from '../../../../server/backends/backend.js';
import { planWhereItRuns } from '../../../../server/backends/choose-backend.js';
import { cudaBackend } from '../../../../server/backends/cuda/backend.js';
import { planCudaMemory } from '../../../../server/backends/cuda/plan.js';
import { processor } from '../../../../server/backends/processor/backend.js';
import type { MemoryPlan, PlanSettings } from '../../../../server/memory/planning/plan.js';
import { renderPlan } from '../../../../server/memory/planning/render-plan.js';
import { type LoadedModel, openModel } from '../../../../server/model/model.js';
import { equalLayers, layerNorms, type ModelShape } from '../../../../server/model/shape.js';
import { floatEncodings } from '../../../../server/model/weight-encoding.js';
import { cudaBinding, hasCuda } from '../../../cuda-under-test.js';
import { fixture } from '../../model/model-folder.js';

registerRivals();
const gigabyte = 2 ** 30;
const llama8B: Partial<ModelShape> = {
  layers: equalLayers(32, {
    window: undefined,
    rope: { theta: 500_000, rotaryDim: 128, scaling: { kind: 'none' } },
    norms: layerNorms(false),
    activation: 'silu',
  }),
  hidden: 4096,
  heads: 32,
  kvHeads: 8,
  headDim: 128,
  feedForward: 14_336,
  vocabulary: 128_256,
  maxPositions: 131_072,
};
const device = (index: number, freeBytes: number): UsableDevice => ({
  index,
  name: `GPU of ${freeBytes / gigabyte} GB`,
  computeMajor: 9,
  computeMinor: 0,
  multiprocessors: 132,
  supported: true,
  totalBytes: freeBytes,
  freeBytes,
});
const withFree = (...gigabytes: number[]): UsableCuda => ({
  file: cudaBinding,
  binding: loadCudaBinding(cudaBinding),
  devices: gigabytes.map((free, index) => device(index, free * gigabyte)),
});
const presence = (usable: UsableCuda | undefined): CudaPresence => ({
  driverVersion: 13_000,
  devices: usable?.devices ?? [],
  usable,
  missing: usable === undefined ? { problem: 'no NVIDIA driver is installed', remedy: 'Install it.' } : undefined,
});

async function modelOf(shape: Partial<ModelShape>): Promise<LoadedModel> {
  const model = await openModel(fixture('llama'));
  return { ...model, shape: { ...model.shape, ...shape }, locret: { heads: 'heads.safetensors' } };
}

describe.skipIf(!hasCuda)('the plan of a memory on a GPU', () => {
  const planOn = async (cuda: UsableCuda, settings: Partial<PlanSettings> = {}): Promise<MemoryPlan> =>
    planCudaMemory(
      {
        model: await modelOf(llama8B),
        settings: { threads: 2, ...settings },
        retaining: { input: 'qkv', width: 1024 },
        encoding: floatEncodings.bfloat16,
        cuda,
      },
      'it is there',
    );
  const held = ({ precision, cachePrecision, backend }: MemoryPlan) => {
    expect(backend.options).toMatchObject({ cachePrecision });
    return [precision, cachePrecision];
  };

  it.each([1024, 3072])('fits Llama-3.1-8B with a budget of 16,384 and a chunk of %d in 22 GB', async (chunk) => {
    const plan = await planOn(withFree(24), { chunk });
    expect(held(plan)).toEqual(['bfloat16', 'full']);
    expect(plan.cache).toMatchObject({ budget: 16_384, chunk });
    expect(plan.bytes.peak).toBeLessThan(22e9);
  });

  it.each([1024, 3072])('fits it in 10 GB with int4 weights and an int8 cache, chunk %d', async (chunk) => {
    const plan = await planOn(withFree(24), { chunk, precision: 'int4', cachePrecision: 'int8' });
    expect(plan.cache.budget).toBe(16_384);
    expect(plan.bytes.peak).toBeLessThan(10e9);
  });

  it('holds weights and cache as exactly as they fit, before it keeps less', async () => {
    const plans = await Promise.all([24, 18, 14, 10.9, 9, 7.5].map((free) => planOn(withFree(free))));
    expect(plans.map(held)).toEqual([
      ['bfloat16', 'full'],
      ['bfloat16', 'int8'],
      ['int8', 'full'],
      ['int8', 'int8'],
      ['int4', 'full'],
      ['int4', 'int8'],
    ]);
    expect(plans.every(({ cache }) => cache.budget === 16_384)).toBe(true);
    const small = await planOn(withFree(6.5));
    expect(held(small)).toEqual(['int4', 'int8']);
    expect(small.cache.budget).toBeLessThan(16_384);
  });

  it('takes the device that is listed first, and says which', async () => {
    const plan = await planOn(withFree(40, 24));
    expect(plan.backend).toMatchObject({ name: 'cuda', deviceName: 'GPU of 40 GB', options: { device: 0 } });
    expect(renderPlan(await modelOf(llama8B), plan)).toMatch(/runs on +GPU of 40 GB +it is there/);
  });

  it('refuses with the arithmetic what does not fit', async () => {
    const refused = planOn(withFree(3));
    await expect(refused).rejects.toMatchObject({ code: 'out-of-memory' });
    await expect(refused).rejects.toThrow(
      /does not fit on GPU of 3 GB: weights \(int4\) .* = .* GB, and 2\.75 GB are free/,
    );
  });
});

/** The processor, and this CUDA engine. */
const withGpu = (find: () => CudaPresence): readonly Backend[] => [processor, cudaBackend(find)];

const onProcessor = {
  name: 'cpu',
  options: undefined,
  deviceName: 'processor',
  place: 'the processor',
  snapshotForm: {},
};

describe('where a model runs', () => {
  const chosen = async (settings: Partial<PlanSettings>, found: CudaPresence) =>
    planWhereItRuns(
      await openModel(fixture('llama')),
      { threads: 2, ...settings },
      undefined,
      withGpu(() => found),
    );

  it('is the processor where there is no GPU, and says why', async () => {
    expect((await chosen({}, presence(undefined))).backend).toEqual({
      ...onProcessor,
      reason: 'no NVIDIA driver is installed',
    });
  });

  it('is no GPU when the processor was chosen: none is looked for', async () => {
    const gpu = withGpu(() => {
      throw new Error('it was looked for');
    });
    const plan = planWhereItRuns(await openModel(fixture('llama')), { threads: 2, backend: 'cpu' }, undefined, gpu);
    expect(plan.backend).toEqual({ ...onProcessor, reason: 'it was chosen' });
  });

  it('is refused where a GPU was chosen and there is none', async () => {
    await expect(chosen({ backend: 'cuda' }, presence(undefined))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'The backend "cuda" cannot be used: no NVIDIA driver is installed.',
      remedy: 'Install it.',
    });
  });

  it('is told as missing where the engine is not installed, or is none', () => {
    expect(findCuda('/absent/locret-cuda.node')).toMatchObject({ usable: undefined });
    expect(findCuda('/absent/locret-cuda.node').missing?.problem).toMatch(/absent.*cannot be loaded/);
  });

  it.skipIf(!hasCuda)('is a GPU with enough memory, if there is one', async () => {
    expect((await chosen({}, presence(withFree(8)))).backend).toMatchObject({
      name: 'cuda',
      reason: 'it is there and has enough memory',
    });
    expect(findCuda(cudaBinding)).toMatchObject({ missing: undefined });
  });

  it.skipIf(!hasCuda)('is the processor where the GPU has too little memory, or does not run the model', async () => {
    const full = await chosen({}, presence(withFree(0.1)));
    expect(full.backend.name).toBe('cpu');
    expect(full.backend.reason).toMatch(/does not fit on GPU/);
    await expect(chosen({ backend: 'cuda' }, presence(withFree(0.1)))).rejects.toMatchObject({
      code: 'out-of-memory',
    });
    const model = await openModel(fixture('llama'));
    const odd = { ...model, shape: { ...model.shape, headDim: 20 } };
    const plan = planWhereItRuns(
      odd,
      { threads: 2, precision: 'int8' },
      undefined,
      withGpu(() => presence(withFree(8))),
    );
    expect(plan.backend.name).toBe('cpu');
    expect(plan.backend.reason).toMatch(/20 channels/);
  });

  it.skipIf(!hasCuda)('is the processor for policies, budgets and retaining heads that only it has', async () => {
    const gpu = presence(withFree(8));
    const reasonFor = async (settings: Partial<PlanSettings>): Promise<string> => {
      const { backend } = await chosen(settings, gpu);
      expect(backend.name).toBe('cpu');
      return backend.reason;
    };
    expect(await reasonFor({ policy: 'snapkv' })).toMatch(/policy "snapkv" runs on the processor only/);
    expect(await reasonFor({ allocation: 'pyramid' })).toMatch(/allocation "pyramid" runs on the processor only/);
    await expect(chosen({ policy: 'snapkv', backend: 'cuda' }, gpu)).rejects.toMatchObject({
      code: 'model-unsupported',
    });
  });
});
