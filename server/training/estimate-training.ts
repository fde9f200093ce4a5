import type { TrainingEstimate } from '../contract/training.js';
import { checkpointFile, readPausedTraining } from './checkpoint-file.js';
import { beginningState, HeadOptimizer } from './head-optimizer.js';
import { initialWeights } from './head-weights.js';
import { LabelledSamples, type SampleHooks } from './labelled-samples.js';
import { openModelForTraining, trainingIdentity, type TrainingSettings } from './train-heads.js';
import { trainingBytes } from './training-memory.js';
import { measuredSamples, measurementsLeft } from './training-steps.js';

/** The first step also pays for what is set up with it. */
const timedSteps = 2;

/**
 * Makes two steps of a training, keeps nothing of them, and tells what the whole will take.
 * @throws LocretError cancelled, heads-corrupt for a damaged checkpoint, out-of-memory with the arithmetic, and what
 *   opening the model and the repositories throws
 */
export async function estimateTraining(settings: TrainingSettings, hooks: SampleHooks = {}): Promise<TrainingEstimate> {
  const { input, width, seed, threads, steps, out } = settings;
  const model = await openModelForTraining(settings);
  const samples = await LabelledSamples.open(model, settings, hooks);
  try {
    const { shape } = model;
    const state = beginningState(initialWeights(shape, input, width, seed));
    const optimizer = await HeadOptimizer.open(shape, input, state, 0, threads);
    try {
      const times: number[] = [];
      for (let step = 0; step < timedSteps; step++) {
        const begun = performance.now();
        await optimizer.step(await samples.training(step), 0);
        times.push((performance.now() - begun) / 1000);
      }
      const secondsPerStep = Math.min(...times);
      const found = settings.fresh ? undefined : readPausedTraining(checkpointFile(out));
      const isThis = found?.identity === trainingIdentity(settings, samples);
      const { training, heldOut } = samples.fileCounts;
      const made = isThis ? found.steps : 0;
      const measurements = measurementsLeft(steps, isThis ? found.steps : -1);
      return {
        trainingFiles: training,
        heldOutFiles: heldOut,
        tokens: samples.tokens,
        steps,
        secondsPerStep,
        secondsLeft: secondsPerStep * (steps - made + measurements * measuredSamples),
        peakBytes: trainingBytes(model, settings, samples.tokens).peak,
        ...(found === undefined ? {} : { paused: { step: found.steps, steps: found.of, isThis } }),
      };
    } finally {
      await optimizer.dispose();
    }
  } finally {
    await samples.dispose();
  }
}
