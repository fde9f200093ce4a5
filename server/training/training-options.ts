import os from 'node:os';
import { withDefaults } from '../contract/setting.js';
import { trainingSettings, type GivenTrainingOptions, type TrainingOptions } from '../contract/training.js';

/** The highest learning rate comes after this share of the steps, unless something else is asked for. */
const warmupShare = 0.1;

/** Fills in what was not asked for. */
export function completeOptions(wanted: GivenTrainingOptions): TrainingOptions {
  const { warmup, threads, ...chosen } = withDefaults(trainingSettings, wanted);
  return {
    ...chosen,
    warmup: warmup ?? Math.round(chosen.steps * warmupShare),
    threads: threads ?? os.availableParallelism(),
  };
}
