import type { Connection, ProgressToken } from 'vscode-languageserver';
import type { TrainingStatus, TrainResult } from '../contract/protocol.js';
import type { Workspace } from '../workspace/workspace.js';
import { onLocretRequest } from './requests.js';
import { outParam, stopTrainingParams, trainParams } from './training-params.js';

const pollMilliseconds = 200;

/** `Step 120 of 3,000 · SmoothL1 1.234 · 95 s left` */
export function trainingMessage({ step, steps, loss, secondsLeft }: TrainingStatus): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    `Step ${count(step)} of ${count(steps)}`,
    ...(loss === undefined ? [] : [`SmoothL1 ${loss.toFixed(3)}`]),
    ...(secondsLeft === undefined ? [] : [`${count(Math.ceil(secondsLeft))} s left`]),
  ].join(' · ');
}

/** Runs a training and tells how far it is, where the client wants to know. */
async function withWorkDone(
  connection: Connection,
  token: ProgressToken | undefined,
  workspace: Workspace,
  task: () => Promise<TrainResult>,
): Promise<TrainResult> {
  if (token === undefined) return task();
  const reporter = connection.window.attachWorkDoneProgress(token);
  reporter.begin('Training retaining heads', 0, undefined, true);
  const timer = setInterval(() => {
    const { status } = workspace.training;
    if (status === undefined) return;
    if (status.phase === 'loading') reporter.report('Loading the model');
    else reporter.report((100 * status.step) / status.steps, trainingMessage(status));
  }, pollMilliseconds);
  try {
    return await task();
  } finally {
    clearInterval(timer);
    reporter.done();
  }
}

/** Answers `locret/train`, `locret/trainingPlan`, `locret/stopTraining` and `locret/pausedTraining`. */
export function serveTraining(connection: Connection, workspace: Workspace): void {
  const { training } = workspace;
  onLocretRequest(connection, 'locret/train', async (params, { workDoneToken, signal }) => {
    const wanted = trainParams(params);
    return withWorkDone(connection, workDoneToken, workspace, () => training.train(wanted, signal));
  });

  onLocretRequest(connection, 'locret/trainingPlan', async (params, { signal }) =>
    training.plan(trainParams(params), signal),
  );

  onLocretRequest(connection, 'locret/stopTraining', async (params) => {
    await training.stop(stopTrainingParams(params));
    return workspace.status;
  });

  onLocretRequest(connection, 'locret/pausedTraining', (params) => Promise.resolve(training.paused(outParam(params))));
}
