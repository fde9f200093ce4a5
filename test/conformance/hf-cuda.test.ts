import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CachePrecision, WeightPrecision } from '../../server/contract/words.js';
import { cudaDevice, hasCuda } from '../cuda-under-test.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';
import { models, relativeError, runModel } from './run-model.js';

const names = readdirSync(models).filter((name) => existsSync(path.join(models, name, 'reference.safetensors')));
/** Their heads are of a size, or rotated by a share, that tensor cores do not take. */
const inFloat32Only = ['llama-tied-f16', 'mistral', 'mistral-window', 'phi3-partial'];
const cacheFolder = tmpdir();

describe.skipIf(!hasCuda).each(names)('%s with the CUDA kernels', (model) => {
  const reference = readTensors(path.join(models, model, 'reference.safetensors'));
  const tokens = integersOf(reference, 'input_ids_96');
  const expected = floatsOf(reference, 'logits_96');

  it("gives transformers' logits in one pass, as exactly as on the processor", async () => {
    const { logits } = await runModel(model, tokens, { chunk: 512, cacheFolder, backend: cudaDevice() });
    expect(largestDifference(logits, expected)).toBeLessThan(2e-4);
  });

  it('continues as transformers does, read in passes of 17 tokens', async () => {
    const settings = { chunk: 17, generate: 16, cacheFolder, backend: cudaDevice() };
    const { logits, generated } = await runModel(model, tokens, settings);
    expect(largestDifference(logits, expected)).toBeLessThan(2e-4);
    expect(generated).toEqual(integersOf(reference, 'greedy_16'));
  });

  it.runIf(reference.has('input_ids_300'))(
    'gives them for 300 tokens, beyond windows and original lengths',
    async () => {
      const long = integersOf(reference, 'input_ids_300');
      const { logits } = await runModel(model, long, { chunk: 64, cacheFolder, backend: cudaDevice() });
      expect(largestDifference(logits, floatsOf(reference, 'logits_300'))).toBeLessThan(2e-4);
    },
  );

  /** What weights and cache of fewer bits may cost, as a share of the logits' spread: about twice what was measured. */
  const bounds: readonly (readonly [WeightPrecision, CachePrecision, number])[] = [
    ['float32', 'int8', 0.06],
    ['float16', 'full', 0.008],
    ['bfloat16', 'full', 0.05],
    ['bfloat16', 'int8', 0.08],
    ['bfloat16', 'int4', 0.6],
    ['int8', 'full', 0.12],
    ['int4', 'int8', 0.9],
  ];
  const runs = bounds.filter(([precision]) => precision === 'float32' || !inFloat32Only.includes(model));

  it.each(runs)('stays close to the reference with %s weights and a %s cache', async (precision, cache, most) => {
    const settings = { chunk: 64, precision, cacheFolder, backend: cudaDevice(cache) };
    const { logits } = await runModel(model, tokens, settings);
    expect(relativeError(logits, expected)).toBeLessThan(most);
  });

  if (inFloat32Only.includes(model)) {
    it('is refused before it is loaded in bfloat16', async () => {
      const settings = { chunk: 64, precision: 'bfloat16', cacheFolder, backend: cudaDevice() } as const;
      await expect(runModel(model, tokens, settings)).rejects.toMatchObject({ code: 'model-unsupported' });
    });
  }
});
