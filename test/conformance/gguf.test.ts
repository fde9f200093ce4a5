import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { GgufTensor } from '../../bench/gguf.js';
import { openModelSource } from '../../server/model/open-model-source.js';
import { cudaDevice, hasCuda } from '../cuda-under-test.js';
import { contentOf, writeContent } from '../unit/model/gguf/gguf-files.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';
import { models, runModel } from './run-model.js';

const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-gguf-'));

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

/** A model of the references as llama.cpp's converter lays it out, and changed. */
function ggufOf(model: string, change: (tensor: GgufTensor) => GgufTensor = (tensor) => tensor): string {
  const weights = openModelSource(path.join(models, model)).openWeights();
  try {
    const { metadata, tensors } = contentOf(weights);
    return writeContent({ metadata, tensors: tensors.map(change) });
  } finally {
    weights.close();
  }
}

/** The same tensor in Q8_0: blocks of a float16 scale and 32 signed bytes. The scale is 2^-8. */
function quantized({ name, dimensions, bytes }: GgufTensor): GgufTensor {
  const numbers = Buffer.concat([...bytes()]);
  const blocks = Array.from({ length: numbers.length / 128 }, (_, block) => {
    const codes = Array.from({ length: 32 }, (__, i) => Math.round(256 * numbers.readFloatLE(block * 128 + 4 * i)));
    return Buffer.from([0x00, 0x1c, ...codes.map((code) => Math.max(-127, Math.min(127, code)) & 255)]);
  });
  return { name, dimensions, encoding: 'Q8_0', bytes: () => blocks };
}

describe('a model in a GGUF file', () => {
  it.each(['llama', 'llama-linear', 'llama-tied-f16', 'mistral-window', 'qwen2', 'qwen3', 'phi3', 'phi3-partial'])(
    "of the family %s gives transformers' logits, and continues as it does",
    async (model) => {
      const reference = readTensors(path.join(models, model, 'reference.safetensors'));
      const settings = { chunk: 17, generate: 16, cacheFolder };
      const { logits, generated } = await runModel(ggufOf(model), integersOf(reference, 'input_ids_96'), settings);
      expect(largestDifference(logits, floatsOf(reference, 'logits_96'))).toBeLessThan(2e-4);
      expect(generated).toEqual(integersOf(reference, 'greedy_16'));
    },
  );

  it.skipIf(!hasCuda)('with quantized matrices gives the same on a GPU as on the processor', async () => {
    const isMatrix = /\.(ffn|attn)_\w+\.weight$/;
    const file = ggufOf('llama', (tensor) =>
      isMatrix.test(tensor.name) && tensor.dimensions.length === 2 ? quantized(tensor) : tensor,
    );
    const reference = readTensors(path.join(models, 'llama', 'reference.safetensors'));
    const tokens = integersOf(reference, 'input_ids_96');
    const { logits: expected } = await runModel(file, tokens, { chunk: 32, cacheFolder });
    const { logits } = await runModel(file, tokens, { chunk: 32, cacheFolder, backend: cudaDevice() });
    expect(largestDifference(logits, expected)).toBeLessThan(2e-4);
    expect(largestDifference(expected, floatsOf(reference, 'logits_96'))).toBeGreaterThan(1e-3);
  });
});
