import type { TrainingStatus } from '../contract/training.js';
import { formatCount } from '../quantities.js';
import type { Workspace } from '../workspace/workspace.js';
import { pausedTrainingParams, stopTrainingParams, trainParams } from './training-params.js';
import type { UseCases } from './use-case.js';

/** `Step 120 of 3,000 · SmoothL1 1.234 · 95 s left` */
function trainingMessage({ step, steps, loss, secondsLeft }: TrainingStatus): string {
  return [
    `Step ${formatCount(step)} of ${formatCount(steps)}`,
    ...(loss === undefined ? [] : [`SmoothL1 ${loss.toFixed(3)}`]),
    ...(secondsLeft === undefined ? [] : [`${formatCount(Math.ceil(secondsLeft))} s left`]),
  ].join(' · ');
}

/** Training retaining heads. */
export function training(
  workspace: Workspace,
): UseCases<'locret/train' | 'locret/trainingPlan' | 'locret/stopTraining' | 'locret/pausedTraining'> {
  const { training: heads } = workspace;
  return {
    'locret/train': {
      parse: trainParams,
      work: () => ({
        title: 'Training retaining heads',
        progress: () => {
          const { status } = heads;
          if (status === undefined) return undefined;
          if (status.phase === 'loading') return { message: 'Loading the model' };
          return { message: trainingMessage(status), share: status.step / status.steps };
        },
      }),
      handle: (params, { signal }) => heads.train(params, signal),
    },
    'locret/trainingPlan': {
      parse: trainParams,
      handle: (params, { signal }) => heads.plan(params, signal),
    },
    'locret/stopTraining': {
      parse: stopTrainingParams,
      handle: async (params) => {
        await heads.stop(params);
        return workspace.status;
      },
    },
    'locret/pausedTraining': {
      parse: pausedTrainingParams,
      handle: ({ out }) => Promise.resolve(heads.paused(out)),
    },
  };
}
