import type { TrainingPhase } from '../contract/training.js';
import { isLocretError } from '../errors.js';
import { SavePace } from '../memory/reading/save-pace.js';
import { checkpointFile, writeCheckpoint } from './checkpoint-file.js';
import { measureHeads, type HeadQuality } from './evaluation.js';
import { diverged, type HeadOptimizer, type StepLoss } from './head-optimizer.js';
import type { LabelledSamples, SampleSettings } from './labelled-samples.js';
import { learningRate, type Schedule } from './schedule.js';
import { StepClock } from './step-clock.js';
import type { TrainingCourse } from './training-course.js';

export interface TrainingProgress {
  /** Steps made, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Of the last step. */
  readonly loss: StepLoss;
  /** Tokens of text that were learned from since the start, or since it went on. */
  readonly tokens: number;
  readonly secondsLeft: number;
}

export interface StepHooks {
  readonly onPhase?: (phase: TrainingPhase) => void;
  /** Called after each step. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Called before the first step, now and then, and at the end: what the heads are worth on samples held out. */
  readonly onQuality?: (quality: HeadQuality, step: number) => void;
}

/** A training whose samples and heads are there, so that steps can be made. */
export interface OpenedTraining {
  readonly samples: LabelledSamples;
  readonly optimizer: HeadOptimizer;
  readonly course: TrainingCourse;
  /** Of everything that the numbers depend on. */
  readonly identity: string;
}

/** Samples on which heads are measured while they are trained. */
export const measuredSamples = 4;
/** Measurements in the course of a training, without that before the first step. */
const measurements = 10;
/** So many steps take far longer than a measurement. */
const leastInterval = 50;

/** Steps from one measurement to the next; the last may come sooner. */
function measurementInterval(steps: number): number {
  return Math.max(leastInterval, Math.ceil(steps / measurements));
}

/** How often heads are still measured. @param measuredStep of the last measurement; -1 before the first one */
export function measurementsLeft(steps: number, measuredStep: number): number {
  const of = (step: number): number => (step < 0 ? 0 : 1 + Math.ceil(step / measurementInterval(steps)));
  return of(steps) - of(measuredStep);
}

/** Measures heads as they are now on samples that are not trained on. */
export function measureNow(
  optimizer: HeadOptimizer,
  samples: LabelledSamples,
  { input, threads }: Pick<SampleSettings, 'input' | 'threads'>,
): Promise<HeadQuality> {
  const { shape } = samples.model;
  return measureHeads(optimizer.weights(), { shape, input, threads }, samples.heldOut(measuredSamples));
}

/** Bytes of a checkpoint. */
function checkpointBytes({ layers }: HeadOptimizer): number {
  return layers.reduce((sum, { first, second }) => sum + 12 * (first.weight.length + second.weight.length), 0);
}

/**
 * Makes the steps that are left and measures on the way; leaves a checkpoint when it is interrupted.
 * @returns what the heads are worth at the end
 * @throws LocretError cancelled, invalid-argument when it diverges, disk-full
 */
export async function runSteps(
  { samples, optimizer, course, identity }: OpenedTraining,
  settings: Schedule & SampleSettings & { readonly out: string },
  hooks: StepHooks,
): Promise<HeadQuality> {
  const { steps, out } = settings;
  const { kvHeads } = samples.model.shape;
  const interval = measurementInterval(steps);
  const save = (): Promise<void> => {
    const checkpoint = { steps: optimizer.steps, of: steps, layers: optimizer.layers, course: course.state };
    return writeCheckpoint(checkpointFile(out), checkpoint, identity);
  };
  const pace = new SavePace(checkpointBytes(optimizer));
  const clock = new StepClock(measuredSamples);
  let tokens = 0;
  let quality: HeadQuality | undefined;
  try {
    for (;;) {
      const made = optimizer.steps;
      // A training that was paused while it measured measures again.
      const isDue = made > course.measuredStep && (made % interval === 0 || made === steps);
      if (isDue || made === steps) {
        hooks.onPhase?.('evaluate');
        quality = await clock.timed('measurement', () => measureNow(optimizer, samples, settings));
        if (!Number.isFinite(quality.regression)) throw diverged(made);
        if (isDue) course.measured(made, quality);
        hooks.onQuality?.(quality, made);
      }
      if (made === steps && quality !== undefined) return quality;
      const loss = await clock.timed('step', async () => {
        hooks.onPhase?.('label');
        const sample = await samples.training(made);
        hooks.onPhase?.('learn');
        tokens += (sample[0]?.labels.length ?? 0) / kvHeads;
        return optimizer.step(sample, learningRate(settings, made));
      });
      course.learned(loss);
      const step = optimizer.steps;
      const secondsLeft = clock.secondsFor(steps - step, measurementsLeft(steps, course.measuredStep));
      hooks.onProgress?.({ step, steps, loss, tokens, secondsLeft });
      if (pace.isDue) await pace.timed(save);
    }
  } catch (error) {
    if (isLocretError(error, 'cancelled')) await save();
    throw error;
  }
}
