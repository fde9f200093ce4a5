import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { isLocretError, LocretError, messageOf } from '../errors.js';
import { headInputWidth } from '../model/checkpoint.js';
import { openRetainingHeads } from '../model/retaining-heads.js';
import { openModel } from '../model/model.js';
import { checkpointFile, discardTraining, readCheckpoint, writeCheckpoint } from './checkpoint-file.js';
import { measureHeads, type HeadQuality } from './evaluation.js';
import { beginningState, diverged, HeadOptimizer, type StepLoss } from './head-optimizer.js';
import { initialWeights, writeHeads } from './head-weights.js';
import { LabelledSamples, type SampleHooks, type SampleSettings } from './labelled-samples.js';
import { learningRate } from './schedule.js';

export interface TrainingSettings extends SampleSettings {
  /** Where the heads are written, a safetensors file; the checkpoint lies beside it. */
  readonly out: string;
  /** Width between the two linear layers (d_R). */
  readonly width: number;
  readonly steps: number;
  /** Steps over which the learning rate rises. */
  readonly warmup: number;
  /** The highest learning rate. */
  readonly rate: number;
  /** Begin anew although there is a checkpoint. */
  readonly fresh: boolean;
}

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

export interface TrainingHooks extends SampleHooks {
  /** Called once, before the first step: how many files there are, and at which step it goes on. */
  readonly onBegin?: (begin: {
    readonly trainingFiles: number;
    readonly heldOutFiles: number;
    /** Tokens of a sample's text. */
    readonly tokens: number;
    readonly step: number;
  }) => void;
  /** Called after each step. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Called now and then, and at the end: what the heads are worth on samples that are not trained on. */
  readonly onQuality?: (quality: HeadQuality, step: number) => void;
}

/** Trained heads. */
export interface TrainedHeads {
  readonly file: string;
  readonly quality: HeadQuality;
}

/** Samples on which heads are measured while they are trained. */
const measuredSamples = 8;
/** Measurements in the course of a training. */
const measurements = 10;
const checkpointMilliseconds = 60_000;

/** Everything that the numbers of a training depend on. */
function identityOf(settings: TrainingSettings, samples: LabelledSamples): string {
  const { repositories, input, labels, answers, questions, seed, precision, width, steps, warmup, rate } = settings;
  const { fingerprint, tokens } = samples;
  const parts = { repositories, input, labels, answers, questions, seed, precision, width, steps, warmup, rate };
  return createHash('sha256')
    .update(JSON.stringify({ ...parts, fingerprint, tokens }))
    .digest('hex');
}

/**
 * Trains retaining heads for a model on repositories (arXiv 2410.01805, section 3.3); the model stays as it is. It goes on
 * at its checkpoint where there is one. When the signal fires, the training pauses: a checkpoint of the last whole step is
 * kept, and the same call goes on there with the same numbers; `discardTraining` gives it up instead.
 * @throws LocretError cancelled; invalid-argument when it diverges, the checkpoint is another training's or the folder is
 *   not there; heads-corrupt for a damaged checkpoint; disk-full; and what opening the model and the repositories throws
 */
export async function trainHeads(settings: TrainingSettings, hooks: TrainingHooks = {}): Promise<TrainedHeads> {
  const { out, input, width, steps, threads } = settings;
  await checkFolder(out);
  if (settings.fresh) await discardTraining(out);
  const samples = await LabelledSamples.open(settings, hooks);
  try {
    const { shape } = samples.model;
    const file = checkpointFile(out);
    const identity = identityOf(settings, samples);
    const sizes = { first: width * headInputWidth(shape, input), second: shape.kvHeads * width };
    const checkpoint = readCheckpoint(file, identity, shape.layers, sizes);
    const state = checkpoint?.layers ?? beginningState(initialWeights(shape, input, width, settings.seed));
    const optimizer = await HeadOptimizer.open(shape, input, state, checkpoint?.steps ?? 0, threads);
    try {
      const { training, heldOut } = samples.fileCounts;
      hooks.onBegin?.({
        trainingFiles: training,
        heldOutFiles: heldOut,
        tokens: samples.tokens,
        step: optimizer.steps,
      });
      await runSteps(optimizer, samples, settings, hooks, identity);
      const quality = await measure(optimizer, samples, settings);
      if (!Number.isFinite(quality.regression)) throw diverged(steps);
      hooks.onQuality?.(quality, steps);
      await writeHeads(out, optimizer.weights(), shape, input, {
        'locret.labels': settings.labels,
        'locret.steps': String(steps),
        'locret.overlap': quality.overlap.toFixed(4),
      });
      await discardTraining(out);
      return { file: out, quality };
    } finally {
      await optimizer.dispose();
    }
  } finally {
    await samples.dispose();
  }
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

function measure(optimizer: HeadOptimizer, samples: LabelledSamples, settings: SampleSettings): Promise<HeadQuality> {
  const { input, threads } = settings;
  const { shape } = samples.model;
  return measureHeads(optimizer.weights(), { shape, input, threads }, samples.heldOut(measuredSamples));
}

/** Makes the steps that are left; leaves a checkpoint when it is interrupted. */
async function runSteps(
  optimizer: HeadOptimizer,
  samples: LabelledSamples,
  settings: TrainingSettings,
  hooks: TrainingHooks,
  identity: string,
): Promise<void> {
  const { steps } = settings;
  const { kvHeads } = samples.model.shape;
  const interval = Math.max(1, Math.ceil(steps / measurements));
  const save = (): Promise<void> =>
    writeCheckpoint(checkpointFile(settings.out), { steps: optimizer.steps, layers: optimizer.layers }, identity);
  const first = optimizer.steps;
  const started = performance.now();
  let saved = started;
  let tokens = 0;
  try {
    while (optimizer.steps < steps) {
      const index = optimizer.steps;
      const sample = await samples.training(index);
      const loss = await optimizer.step(sample, learningRate(settings, index));
      tokens += (sample[0]?.labels.length ?? 0) / kvHeads;
      const now = performance.now();
      const step = optimizer.steps;
      const secondsLeft = (((now - started) / (step - first)) * (steps - step)) / 1000;
      hooks.onProgress?.({ step, steps, loss, tokens, secondsLeft });
      if (step % interval === 0 && step < steps) hooks.onQuality?.(await measure(optimizer, samples, settings), step);
      if (now - saved > checkpointMilliseconds) {
        await save();
        saved = performance.now();
      }
    }
  } catch (error) {
    if (isLocretError(error, 'cancelled')) await save();
    throw error;
  }
}

/**
 * Measures heads on source files of repositories that `trainHeads` would hold out.
 * @param heads a file of heads; what they read is in it
 * @param count samples
 * @throws LocretError heads-corrupt, cancelled, and what opening the model and the repositories throws
 */
export async function evaluateHeads(
  heads: string,
  count: number,
  settings: Omit<SampleSettings, 'input'>,
  hooks: SampleHooks = {},
): Promise<HeadQuality> {
  const { shape } = await openModel(settings.modelFolder);
  const opened = openRetainingHeads(heads, shape);
  const weights = Array.from({ length: shape.layers }, (_, layer) => ({
    first: opened.first(layer),
    second: opened.second(layer),
  }));
  const samples = await LabelledSamples.open({ ...settings, input: opened.input }, hooks);
  try {
    const { input } = opened;
    return await measureHeads(weights, { shape, input, threads: settings.threads }, samples.heldOut(count));
  } finally {
    await samples.dispose();
  }
}
