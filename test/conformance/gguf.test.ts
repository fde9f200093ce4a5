import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openModelSource } from '../../server/model/open-model-source.js';
import { contentOf, writeContent } from '../unit/model/gguf/gguf-files.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';
import { models, runModel } from './run-model.js';

const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-gguf-'));

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

/** A model of the references as llama.cpp's converter lays it out. */
function ggufOf(model: string): string {
  const weights = openModelSource(path.join(models, model)).openWeights();
  try {
    return writeContent(contentOf(weights));
  } finally {
    weights.close();
  }
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
});
