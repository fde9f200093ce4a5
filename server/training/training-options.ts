import os from 'node:os';
import type { HeadInput } from '../model/checkpoint.js';
import type { WeightPrecision } from '../backends/processor/graph/linear.js';
import type { LabelKind } from './label-kind.js';

/** How heads are trained: everything that is chosen with a number or a word. */
export interface TrainingOptions {
  /** What the heads read. */
  readonly input: HeadInput;
  readonly labels: LabelKind;
  /** Whether answers are quoted from the source, or given by the model itself. */
  readonly answers: 'source' | 'model';
  /** Width between the two linear layers (d_R). */
  readonly width: number;
  readonly steps: number;
  /** Steps over which the learning rate rises. */
  readonly warmup: number;
  /** The highest learning rate. */
  readonly rate: number;
  /** Tokens of a sample's text; undefined: half of the model's window, at most 8,192. */
  readonly tokens?: number;
  /** Questions about a text. */
  readonly questions: number;
  readonly seed: number;
  /** The model's weights while it is trained for; undefined: as the product runs the model on the processor. */
  readonly precision?: WeightPrecision;
  readonly threads: number;
}

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
} as const satisfies Partial<TrainingOptions>;

/** The highest learning rate comes after this share of the steps, unless something else is asked for. */
const warmupShare = 0.1;

/** Fills in what was not asked for. */
export function completeOptions(wanted: Partial<TrainingOptions>): TrainingOptions {
  const steps = wanted.steps ?? trainingDefaults.steps;
  const warmup = Math.round(steps * warmupShare);
  return { ...trainingDefaults, warmup, threads: os.availableParallelism(), ...wanted, steps };
}
