import os from 'node:os';
import type { TrainingOptions } from '../contract/training.js';

/**
 * What is chosen where nothing else is asked for: steps, rate and the rest as published, but for the labels, of which
 * docs/figures/quality.md tells what is answered by each.
 */
export const trainingDefaults = {
  input: 'qkv',
  labels: 'contribution',
  answers: 'source',
  width: 256,
  steps: 3000,
  rate: 5e-4,
  questions: 12,
  seed: 0,
  precision: 'float32',
} as const satisfies Partial<TrainingOptions>;

/** The highest learning rate comes after this share of the steps, unless something else is asked for. */
const warmupShare = 0.1;

/** Fills in what was not asked for. */
export function completeOptions(wanted: Partial<TrainingOptions>): TrainingOptions {
  const steps = wanted.steps ?? trainingDefaults.steps;
  const warmup = Math.round(steps * warmupShare);
  return { ...trainingDefaults, warmup, threads: os.availableParallelism(), ...wanted, steps };
}
