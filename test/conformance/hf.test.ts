import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { WeightPrecision } from '../../server/engine/engine.js';
import { createOnnxEngine } from '../../server/engine/onnx-engine.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';

const fixtures = fileURLToPath(new URL('../fixtures/hf', import.meta.url));
const cacheFolder = mkdtempSync(path.join(tmpdir(), 'locret-hf-'));
const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };
const models = readdirSync(fixtures).filter((name) => existsSync(path.join(fixtures, name, 'reference.safetensors')));

afterAll(() => {
  rmSync(cacheFolder, { recursive: true, force: true });
});

async function run(
  model: string,
  tokens: readonly number[],
  settings: { readonly chunk: number; readonly generate?: number; readonly precision?: WeightPrecision },
): Promise<{ readonly logits: Float32Array; readonly generated: readonly number[] }> {
  const { chunk, generate = 0, precision = 'float32' } = settings;
  const engine = await createOnnxEngine({
    model: path.join(fixtures, model),
    policy: 'sink-recent',
    precision,
    threads: 2,
    cacheFolder,
    plan: { budget: Infinity, chunk, stabilizers: 0, pinned: 0, capacity: tokens.length + generate },
  });
  try {
    const { logits } = await engine.extend(tokens, { evict: 'none', logits: 'all' });
    const { tokens: generated } = await engine.generate({ maxTokens: generate, sampling: greedy, stopTokens: [] });
    return { logits, generated };
  } finally {
    await engine.dispose();
  }
}

/** Root of the mean squared difference, as a share of the reference's own spread. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  const spread = expected.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = expected.reduce((sum, value, index) => sum + ((actual[index] ?? NaN) - value) ** 2, 0);
  return Math.sqrt(error / spread);
}

describe.each(models)('%s', (model) => {
  const reference = readTensors(path.join(fixtures, model, 'reference.safetensors'));
  const lengths = [40, 96, 300].filter((length) => reference.has(`input_ids_${length}`));

  it.each(lengths)("gives transformers' logits for %d tokens in one pass", async (length) => {
    const { logits } = await run(model, integersOf(reference, `input_ids_${length}`), { chunk: 512 });
    expect(largestDifference(logits, floatsOf(reference, `logits_${length}`))).toBeLessThan(2e-4);
  });

  it('continues as transformers does, read in passes of 17 tokens', async () => {
    const settings = { chunk: 17, generate: 16 };
    const { logits, generated } = await run(model, integersOf(reference, 'input_ids_96'), settings);
    expect(largestDifference(logits, floatsOf(reference, 'logits_96'))).toBeLessThan(2e-4);
    expect(generated).toEqual(integersOf(reference, 'greedy_16'));
  });

  it.each([
    ['int8', 0.2],
    ['int4', 0.9],
  ] as const)('stays close to the reference with %s weights', async (precision, most) => {
    const { logits } = await run(model, integersOf(reference, 'input_ids_96'), { chunk: 64, precision });
    expect(relativeError(logits, floatsOf(reference, 'logits_96'))).toBeLessThan(most);
  });
});
