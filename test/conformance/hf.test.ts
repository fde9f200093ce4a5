import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';
import { models, relativeError, runModel } from './run-model.js';

const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-hf-'));
const names = readdirSync(models).filter((name) => existsSync(path.join(models, name, 'reference.safetensors')));

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

describe.each(names)('%s', (model) => {
  const reference = readTensors(path.join(models, model, 'reference.safetensors'));
  const lengths = [40, 96, 300].filter((length) => reference.has(`input_ids_${length}`));

  it.each(lengths)("gives transformers' logits for %d tokens in one pass", async (length) => {
    const { logits } = await runModel(model, integersOf(reference, `input_ids_${length}`), { chunk: 512, cacheFolder });
    expect(largestDifference(logits, floatsOf(reference, `logits_${length}`))).toBeLessThan(2e-4);
  });

  it('continues as transformers does, read in passes of 17 tokens', async () => {
    const settings = { chunk: 17, generate: 16, cacheFolder };
    const { logits, generated } = await runModel(model, integersOf(reference, 'input_ids_96'), settings);
    expect(largestDifference(logits, floatsOf(reference, 'logits_96'))).toBeLessThan(2e-4);
    expect(generated).toEqual(integersOf(reference, 'greedy_16'));
  });

  it.each([
    ['int8', 0.2],
    ['int4', 0.9],
  ] as const)('stays close to the reference with %s weights', async (precision, most) => {
    const settings = { chunk: 64, precision, cacheFolder };
    const { logits } = await runModel(model, integersOf(reference, 'input_ids_96'), settings);
    expect(relativeError(logits, floatsOf(reference, 'logits_96'))).toBeLessThan(most);
  });
});
