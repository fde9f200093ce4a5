import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import type { CoursePoint, TrainingOptions } from '../contract/training.js';
import { LocretError, messageOf } from '../errors.js';
import { freeMemory } from '../memory/planning/free-memory.js';
import { headInputWidth } from '../model/checkpoint.js';
import { openModel, type LoadedModel } from '../model/model.js';
import { headLabelsKey, headModelKey } from '../model/retaining-heads.js';
import { checkpointFile, discardTraining, readCheckpoint } from './checkpoint-file.js';
import type { HeadQuality } from './evaluation.js';
import { beginningState, HeadOptimizer } from './head-optimizer.js';
import { initialWeights, writeHeads } from './head-weights.js';
import { LabelledSamples, sampleTokens, type SampleSettings } from './labelled-samples.js';
import { TrainingCourse } from './training-course.js';
import { withTrainingLock } from './training-lock.js';
import { checkTrainingMemory } from './training-memory.js';
import { trainingRecordKey, type TrainingRecord } from './training-record.js';
import { runSteps, type StepHooks } from './training-steps.js';

export interface TrainingSettings extends SampleSettings, TrainingOptions {
  /** Where the heads are written, a safetensors file; the checkpoint lies beside it. */
  readonly out: string;
  /** Begin anew although there is a checkpoint. */
  readonly fresh: boolean;
}

/** What is known before the first step. */
export interface TrainingBegin {
  readonly trainingFiles: number;
  readonly heldOutFiles: number;
  /** Tokens of a sample's text. */
  readonly tokens: number;
  /** The step after which it goes on. */
  readonly step: number;
}

export interface TrainingHooks extends StepHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called while files are found. */
  readonly onFile?: (filesSeen: number) => void;
  /** Called once, before the first step. */
  readonly onBegin?: (begin: TrainingBegin) => void;
}

/** Trained heads. */
export interface TrainedHeads {
  readonly file: string;
  readonly quality: HeadQuality;
  readonly course: readonly CoursePoint[];
}

/** Everything that the numbers of a training depend on. */
export function trainingIdentity(settings: TrainingSettings, samples: LabelledSamples): string {
  const { repositories, input, labels, answers, questions, seed, width, steps, warmup, rate } = settings;
  const { fingerprint, tokens, precision } = samples;
  const parts = { repositories, input, labels, answers, questions, seed, precision, width, steps, warmup, rate };
  return createHash('sha256')
    .update(JSON.stringify({ ...parts, fingerprint, tokens }))
    .digest('hex');
}

/**
 * Opens a model for training, if its memory suffices.
 * @throws LocretError for a model that cannot be used, invalid-argument for samples that it cannot read, out-of-memory
 */
export async function openModelForTraining(settings: TrainingSettings): Promise<LoadedModel> {
  const model = await openModel(settings.model);
  checkTrainingMemory(model, settings, sampleTokens(model, settings.tokens), freeMemory());
  return model;
}

/**
 * Trains retaining heads for a model on repositories (arXiv 2410.01805, section 3.3); the model stays as it is. It goes on
 * at its checkpoint where there is one. When the signal fires, the training pauses: a checkpoint of the last whole step is
 * kept, and the same call goes on there with the same numbers; `discardTraining` gives it up instead.
 * @throws LocretError cancelled; invalid-argument when it diverges, the checkpoint is another training's or the folder is
 *   not there; memory-locked when another process trains into the same file; heads-corrupt for a damaged checkpoint;
 *   out-of-memory with the arithmetic; disk-full; and what opening the model and the repositories throws
 */
export async function trainHeads(settings: TrainingSettings, hooks: TrainingHooks = {}): Promise<TrainedHeads> {
  const { out } = settings;
  await checkFolder(out);
  return withTrainingLock(out, hooks.signal, async () => {
    if (settings.fresh) await discardTraining(out);
    const model = await openModelForTraining(settings);
    const samples = await LabelledSamples.open(model, settings, hooks);
    try {
      return await trainOn(samples, settings, hooks);
    } finally {
      await samples.dispose();
    }
  });
}

async function trainOn(
  samples: LabelledSamples,
  settings: TrainingSettings,
  hooks: TrainingHooks,
): Promise<TrainedHeads> {
  const { out, input, width, threads } = settings;
  const { shape } = samples.model;
  const identity = trainingIdentity(settings, samples);
  const sizes = { first: width * headInputWidth(shape, input), second: shape.kvHeads * width };
  const checkpoint = readCheckpoint(checkpointFile(out), identity, shape.layers.length, sizes);
  const state = checkpoint?.layers ?? beginningState(initialWeights(shape, input, width, settings.seed));
  const optimizer = await HeadOptimizer.open(shape, input, state, checkpoint?.steps ?? 0, threads);
  try {
    const course = new TrainingCourse(checkpoint?.course);
    const { training, heldOut } = samples.fileCounts;
    hooks.onBegin?.({
      trainingFiles: training,
      heldOutFiles: heldOut,
      tokens: samples.tokens,
      step: optimizer.steps,
    });
    const quality = await runSteps({ samples, optimizer, course, identity }, settings, hooks);
    await writeHeads(out, optimizer.weights(), shape, input, {
      [headLabelsKey]: settings.labels,
      [headModelKey]: samples.modelIdentity,
      'locret.steps': String(settings.steps),
      'locret.overlap': quality.overlap.toFixed(4),
      [trainingRecordKey]: JSON.stringify(recordOf(samples, settings, course)),
    });
    await discardTraining(out);
    return { file: out, quality, course: course.points };
  } finally {
    await optimizer.dispose();
  }
}

function recordOf(samples: LabelledSamples, settings: TrainingSettings, course: TrainingCourse): TrainingRecord {
  const { input, labels, answers, width, steps, warmup, rate, questions, seed } = settings;
  const { precision } = samples;
  const { training, heldOut } = samples.fileCounts;
  return {
    model: samples.model.name,
    repositories: samples.repositories,
    trainingFiles: training,
    heldOutFiles: heldOut,
    tokens: samples.tokens,
    options: { input, labels, answers, width, steps, warmup, rate, questions, seed, precision },
    course: course.points,
  };
}

/** Nobody should train for hours and then learn that the heads cannot be written. */
async function checkFolder(out: string): Promise<void> {
  const folder = path.dirname(out);
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new LocretError(
      'invalid-argument',
      `The heads cannot be written to ${out}: ${messageOf(error)}.`,
      'Name a file in a folder that is there and that you may write to.',
      { cause: error },
    );
  }
}
