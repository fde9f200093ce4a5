import * as vscode from 'vscode';
import type { TrainResult } from '../../server/contract/protocol.js';
import { useModel } from '../models/use-model.js';
import { displayLanguage } from '../text/display-language.js';
import { countText } from '../text/quantities.js';
import type { LocalSidecar } from '../sidecar/local-sidecar.js';
import type { Reports } from '../sidecar/reports.js';
import { chooseTraining } from './choose-training.js';
import { chooseFile, confirmTraining } from './confirm-training.js';
import { trainParams, type BegunTraining, type BegunTrainingStore, type TrainingChoice } from './training-choice.js';
import { resultText, shareTrained, trainingText } from './training-text.js';

/** What the commands about training work with. */
export interface TrainingSurroundings {
  readonly sidecar: LocalSidecar;
  readonly begun: BegunTrainingStore;
  readonly reports: Reports;
}

/** Trains retaining heads: what and where the user chooses, or on from where a training is paused. */
export async function trainHeads(surroundings: TrainingSurroundings): Promise<void> {
  const { sidecar } = surroundings;
  if (sidecar.status.training !== undefined) {
    await tellRunning(surroundings);
    return;
  }
  const paused = await offerPaused(surroundings);
  if (paused === 'settled') return;
  const choice = await chooseTraining(sidecar);
  if (choice !== undefined) await planAndTrain(surroundings, choice);
}

async function tellRunning({ sidecar }: TrainingSurroundings): Promise<void> {
  const { training } = sidecar.status;
  if (training === undefined) return;
  const text = vscode.l10n.t(
    'Heads for {0} are being trained: {1}.',
    training.model,
    trainingText(training, displayLanguage),
  );
  const pause = vscode.l10n.t('Pause');
  if ((await vscode.window.showInformationMessage(text, pause)) === pause) await pauseTraining(sidecar);
}

/** Tells of a training that is paused, whoever paused it. */
async function offerPaused(surroundings: TrainingSurroundings): Promise<'settled' | 'none'> {
  const { sidecar, begun } = surroundings;
  const training = begun.get();
  if (training === undefined) return 'none';
  const paused = await sidecar.request('locret/pausedTraining', { out: training.out });
  if (paused === null) {
    await begun.clear();
    return 'none';
  }
  const goOn = { label: `$(play) ${vscode.l10n.t('Go On')}`, detail: training.out };
  const other = { label: `$(add) ${vscode.l10n.t('Train Something Else')}` };
  const discard = { label: `$(trash) ${vscode.l10n.t('Give It Up…')}` };
  const picked = await vscode.window.showQuickPick([goOn, other, discard], {
    title: vscode.l10n.t('Train Retaining Heads'),
    placeHolder: pausedText(training.model, paused),
    ignoreFocusOut: true,
  });
  if (picked === goOn) await train(surroundings, training, false);
  if (picked === discard) await discardTraining(surroundings);
  return picked === other ? 'none' : 'settled';
}

function pausedText(model: string, { step, steps }: { readonly step: number; readonly steps: number }): string {
  const [made, of] = [countText(step, displayLanguage), countText(steps, displayLanguage)];
  return vscode.l10n.t('The training of heads for {0} is paused after step {1} of {2}.', model, made, of);
}

async function planAndTrain(surroundings: TrainingSurroundings, chosen: TrainingChoice): Promise<void> {
  let choice = chosen;
  for (;;) {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Measuring how long a training step takes'),
      cancellable: true,
    };
    const plan = await vscode.window.withProgress(options, (_, token) =>
      surroundings.sidecar.request('locret/trainingPlan', trainParams(choice, false), { token }),
    );
    const confirmation = await confirmTraining(plan);
    if (confirmation === undefined) return;
    if (confirmation.kind === 'train') {
      await train(surroundings, { ...choice, out: plan.out }, confirmation.fresh);
      return;
    }
    choice = { ...choice, out: (await chooseFile(plan.out)) ?? plan.out };
  }
}

async function train(surroundings: TrainingSurroundings, training: BegunTraining, fresh: boolean): Promise<void> {
  const { sidecar, begun } = surroundings;
  await begun.keep(training);
  const result = await withProgress(sidecar, training.model, (token) =>
    sidecar.request('locret/train', trainParams(training, fresh), { token }),
  );
  if (result.end !== 'paused') await begun.clear();
  // What stands in a notification waits for the user; the command is done.
  void tellResult(surroundings, training, result);
}

/** Runs a training with a notification that shows how far it is; cancelling it pauses. */
function withProgress(
  sidecar: LocalSidecar,
  model: string,
  task: (token: vscode.CancellationToken) => Promise<TrainResult>,
): Thenable<TrainResult> {
  const title = vscode.l10n.t('Training retaining heads for {0}', model);
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    let shown = 0;
    const subscription = sidecar.onDidChangeStatus(({ training }) => {
      if (training === undefined) return;
      const percent = 100 * shareTrained(training);
      progress.report({
        message: trainingText(training, displayLanguage),
        increment: Math.max(0, percent - shown),
      });
      shown = Math.max(shown, percent);
    });
    try {
      return await task(token);
    } finally {
      subscription.dispose();
    }
  });
}

async function tellResult(
  surroundings: TrainingSurroundings,
  training: BegunTraining,
  result: TrainResult,
): Promise<void> {
  switch (result.end) {
    case 'finished':
      await tellFinished(surroundings.reports, training, result.course);
      break;
    case 'paused': {
      const goOn = vscode.l10n.t('Go On');
      const discard = vscode.l10n.t('Give It Up…');
      const chosen = await vscode.window.showInformationMessage(pausedText(training.model, result), goOn, discard);
      // As commands, so that what goes wrong is told.
      if (chosen === goOn) await vscode.commands.executeCommand('locret.trainHeads');
      if (chosen === discard) await vscode.commands.executeCommand('locret.discardTraining');
      break;
    }
    case 'discarded':
      tellGivenUp();
  }
}

function tellGivenUp(): void {
  void vscode.window.showInformationMessage(vscode.l10n.t('The training was given up.'));
}

/** Offers the heads and the report, one after the other, until the user has what they want. */
async function tellFinished(
  reports: Reports,
  { model, out }: BegunTraining,
  course: Extract<TrainResult, { end: 'finished' }>['course'],
): Promise<void> {
  const use = vscode.l10n.t('Use These Heads');
  const show = vscode.l10n.t('Show Report');
  let text = resultText(model, course, displayLanguage);
  let offers = [use, show];
  while (offers.length > 0) {
    const chosen = await vscode.window.showInformationMessage(text, ...offers);
    if (chosen === undefined) return;
    offers = offers.filter((offer) => offer !== chosen);
    if (chosen === show) {
      await reports.showTraining(out);
    } else {
      await useModel(model, out);
      text = vscode.l10n.t('These heads are used from now on; the repository is read again with them.');
    }
    if (offers.length === 0 && chosen === use) void vscode.window.showInformationMessage(text);
  }
}

/** Pauses the training that runs. */
export async function pauseTraining(sidecar: LocalSidecar): Promise<void> {
  await sidecar.request('locret/stopTraining', { keep: true });
}

/** Gives up the training that runs, or the one that is paused, after asking. */
export async function discardTraining({ sidecar, begun }: TrainingSurroundings): Promise<void> {
  const training = begun.get();
  const running = sidecar.status.training;
  const out = running?.out ?? training?.out;
  if (out === undefined) return;
  const known = running ?? (await sidecar.request('locret/pausedTraining', { out }));
  if (known === null) {
    await begun.clear();
    return;
  }
  const discard = vscode.l10n.t('Give Up');
  const message = vscode.l10n.t('Give the training up after step {0}?', countText(known.step, displayLanguage));
  const detail = vscode.l10n.t('What was trained is lost. Heads that were finished before stay.');
  const chosen = await vscode.window.showWarningMessage(message, { modal: true, detail }, discard);
  if (chosen !== discard) return;
  await sidecar.request('locret/stopTraining', { keep: false, out });
  await begun.clear();
  // Of one that runs, whoever waits for its end tells.
  if (running === undefined) tellGivenUp();
}
