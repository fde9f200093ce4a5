import type { TrainingOptions } from '../contract/training.js';
import { LocretError } from '../errors.js';
import { planMemory } from '../backends/processor/plan.js';
import { usualPrecision } from '../backends/processor/precision.js';
import { gigabytes } from '../quantities.js';
import { headInputWidth } from '../model/checkpoint.js';
import type { LoadedModel } from '../model/model.js';
import { sampleSlots } from './labelled-samples.js';

/** Bytes of memory that a training takes. */
export interface TrainingBytes {
  /** The model's weights as they run. */
  readonly weights: number;
  /** The cache of one sample, what the heads read of it, and intermediate values of a pass. */
  readonly sample: number;
  /** The heads with AdamW's moments, and those of one layer once more. */
  readonly heads: number;
  readonly peak: number;
}

/** Weights, two moments, and for one layer at a time what a step makes of them and their gradients. */
const matricesPerLayer = 3;
const matricesOfStep = 5;

/**
 * What training the heads of a model takes.
 * @param tokens of a sample's text
 */
export function trainingBytes(model: LoadedModel, options: TrainingOptions, tokens: number): TrainingBytes {
  const { shape } = model;
  const { kvHeads, headDim } = shape;
  const layers = shape.layers.length;
  const { input, threads, width, precision = usualPrecision(shape) } = options;
  const planned = planMemory(model, { precision, threads }, undefined, Infinity).bytes;
  const cache = 4 * layers * kvHeads * sampleSlots(tokens) * 2 * headDim;
  const inputs = headInputWidth(shape, input);
  const sample = cache + 4 * layers * tokens * (inputs + kvHeads) + planned.activations;
  const heads = 4 * width * (inputs + kvHeads) * (matricesPerLayer * layers + matricesOfStep) + 4 * tokens * width * 4;
  const { weights, packing, program } = planned;
  return { weights, sample, heads, peak: program + Math.max(weights + sample + heads, packing) };
}

/**
 * Refuses a training that would not fit.
 * @param free bytes of memory that may be used
 * @throws LocretError out-of-memory with the arithmetic
 */
export function checkTrainingMemory(model: LoadedModel, options: TrainingOptions, tokens: number, free: number): void {
  const { weights, sample, heads, peak } = trainingBytes(model, options, tokens);
  if (peak <= free) return;
  const { precision = usualPrecision(model.shape) } = options;
  throw new LocretError(
    'out-of-memory',
    `Training heads for ${model.name} does not fit: weights (${precision}) ${gigabytes(weights)}, a sample of ` +
      `${tokens} tokens ${gigabytes(sample)} and heads ${gigabytes(heads)} take ${gigabytes(peak)} with the program, and ` +
      `${gigabytes(free)} are free.`,
    precision === 'int4'
      ? 'Free some memory, or choose a smaller model or shorter samples.'
      : 'Free some memory, or choose weights of int8 or int4 (precision), a smaller model or shorter samples.',
  );
}
