import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../server/backends/index.js';
import type { WeightPrecision } from '../../server/contract/words.js';
import type { ChosenBackend } from '../../server/engine/engine.js';

/** Models with logits and tokens that transformers computed. */
export const models = fileURLToPath(new URL('../fixtures/hf', import.meta.url));

const greedy = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, seed: 0 };

export interface ModelRun {
  readonly chunk: number;
  readonly generate?: number;
  readonly precision?: WeightPrecision;
  readonly cacheFolder: string;
  /** Absent: the processor. */
  readonly backend?: ChosenBackend;
}

/** Reads tokens without eviction and goes on greedily: logits `[tokens, vocabulary]`, and the tokens that follow. */
export async function runModel(
  model: string,
  tokens: readonly number[],
  { chunk, generate = 0, precision = 'float32', cacheFolder, backend }: ModelRun,
): Promise<{ readonly logits: Float32Array; readonly generated: readonly number[] }> {
  const engine = await createEngine({
    model: path.resolve(models, model),
    policy: 'sink-recent',
    precision,
    threads: 2,
    cacheFolder,
    plan: { budget: Infinity, chunk, stabilizers: 0, pinned: 0, capacity: tokens.length + generate },
    ...(backend === undefined ? {} : { backend }),
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
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  const spread = expected.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = expected.reduce((sum, value, index) => sum + ((actual[index] ?? NaN) - value) ** 2, 0);
  return Math.sqrt(error / spread);
}
