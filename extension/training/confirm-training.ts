import * as vscode from 'vscode';
import type { TrainingPlanResult } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { countText, durationText } from '../text/quantities.js';
import { needsText, workText } from './training-text.js';

/** What the user wants after seeing the plan. `fresh`: begin anew, whatever is paused beside the file. */
export type Confirmation = { readonly kind: 'train'; readonly fresh: boolean } | { readonly kind: 'elsewhere' };

interface Choice extends vscode.QuickPickItem {
  readonly confirmation: Confirmation;
}

/** Says what a training will do and about how long; undefined when the user does not want that. */
export async function confirmTraining(plan: TrainingPlanResult): Promise<Confirmation | undefined> {
  const picked = await vscode.window.showQuickPick(choicesFor(plan), {
    title: vscode.l10n.t('Train Retaining Heads for {0}', plan.model),
    placeHolder: needsText(plan, displayLanguage),
    ignoreFocusOut: true,
  });
  return picked?.confirmation;
}

function choicesFor(plan: TrainingPlanResult): readonly Choice[] {
  const { paused, replaces, out } = plan;
  const file = replaces
    ? vscode.l10n.t('The heads in {0} are replaced.', out)
    : vscode.l10n.t('The heads go to {0}.', out);
  const train = (icon: string, label: string, fresh: boolean, description: string, consequence = ''): Choice => ({
    label: `$(${icon}) ${label}`,
    description,
    detail: `${consequence} ${file}`.trim(),
    confirmation: { kind: 'train', fresh },
  });
  const elsewhere: Choice = {
    label: `$(save-as) ${vscode.l10n.t('Write Elsewhere…')}`,
    confirmation: { kind: 'elsewhere' },
  };
  const begin = vscode.l10n.t('Train');
  const work = workText(plan, displayLanguage);
  if (paused === undefined) return [train('play', begin, false, work), elsewhere];
  const steps = [countText(paused.step, displayLanguage), countText(paused.steps, displayLanguage)];
  const givesUp = vscode.l10n.t('The training is given up that is paused there after step {0} of {1}.', ...steps);
  if (!paused.isThis) return [train('play', begin, true, work, givesUp), elsewhere];
  const left = vscode.l10n.t('{0} left', durationText(plan.secondsLeft));
  const isPaused = vscode.l10n.t('It is paused after step {0} of {1}.', ...steps);
  return [
    train('play', vscode.l10n.t('Go On'), false, left, isPaused),
    // How long that takes is not told: it is what is left that was reckoned.
    train('refresh', vscode.l10n.t('Begin Anew'), true, '', givesUp),
    elsewhere,
  ];
}

/** Lets the user choose a file for the heads; undefined when none is chosen. */
export async function chooseFile(usual: string): Promise<string | undefined> {
  const file = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(usual),
    title: vscode.l10n.t('Where the heads are written to'),
    filters: { safetensors: ['safetensors'] },
  });
  return file?.fsPath;
}
