import path from 'node:path';
import * as vscode from 'vscode';
import type { ModelEntry } from '../../server/contract/protocol.js';
import { modelItem } from '../models/model-items.js';
import { displayLanguage } from '../text/display-language.js';
import { readableFolders } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { readSettings } from '../sidecar/settings.js';
import type { TrainingChoice } from './training-choice.js';

const totalSteps = 5;
const usualSteps = 3000;
const mostSteps = 1_000_000;

interface Choosable<Value> extends vscode.QuickPickItem {
  readonly value: Value;
}

/** Undefined when the user wants none after all. */
export async function chooseTraining(sidecar: Sidecar): Promise<TrainingChoice | undefined> {
  const model = await chooseModel(sidecar);
  if (model === undefined) return undefined;
  const folders = await chooseFolders();
  if (folders === undefined) return undefined;
  const labels = await chooseLabels();
  if (labels === undefined) return undefined;
  const input = await chooseInput();
  if (input === undefined) return undefined;
  const steps = await chooseSteps();
  if (steps === undefined) return undefined;
  return { model, folders, labels, input, steps, precision: chosenPrecision(), out: undefined };
}

function chosenPrecision(): TrainingChoice['precision'] {
  const configuration = vscode.workspace.getConfiguration('locret');
  const { precision } = readSettings((name) => configuration.get(name)).settings;
  // Training runs on the processor, which has no 16-bit weights.
  return precision === 'bfloat16' || precision === 'float16' ? undefined : precision;
}

async function chooseModel(sidecar: Sidecar): Promise<string | undefined> {
  const { models, folders } = await sidecar.request('locret/models', {});
  const isChosen = ({ name, folder }: ModelEntry): boolean => [name, folder].includes(sidecar.status.model);
  const usable = models.filter((entry) => !('problem' in entry));
  const items = usable
    .toSorted((a, b) => Number(isChosen(b)) - Number(isChosen(a)))
    .map((entry) => ({ value: entry.name, ...modelItem(entry, isChosen(entry), undefined, displayLanguage) }));
  const browse = {
    value: undefined,
    label: `$(folder-opened) ${vscode.l10n.t('Browse for a folder…')}`,
    alwaysShow: true,
  };
  const own = usable.some(isChosen) ? [] : [{ value: sidecar.status.model, label: `$(check) ${sidecar.status.model}` }];
  const picked = await pickOne<string | undefined>(1, vscode.l10n.t('The model that heads are trained for'), [
    ...own,
    ...items,
    browse,
  ]);
  if (picked === undefined) return undefined;
  return picked.value ?? browseFor(vscode.l10n.t('Use Model'), folders.at(-1));
}

async function browseFor(openLabel: string, start: string | undefined): Promise<string | undefined> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel,
      ...(start === undefined ? {} : { defaultUri: vscode.Uri.file(start) }),
    })) ?? [];
  return folder?.fsPath;
}

/** The open folders are chosen already; others can be added. */
async function chooseFolders(): Promise<readonly string[] | undefined> {
  const list = vscode.window.createQuickPick<Choosable<string>>();
  const add = { iconPath: new vscode.ThemeIcon('add'), tooltip: vscode.l10n.t('Add Another Folder…') };
  const itemOf = (folder: string): Choosable<string> => ({
    value: folder,
    label: path.basename(folder),
    description: folder,
    iconPath: vscode.ThemeIcon.Folder,
  });
  list.canSelectMany = true;
  list.buttons = [add];
  list.items = readableFolders().map(({ uri }) => itemOf(uri.fsPath));
  list.selectedItems = list.items;
  list.placeholder = vscode.l10n.t('Folders whose source is trained on; + adds others');
  list.ignoreFocusOut = true;
  const addFolder = async (): Promise<void> => {
    const folder = await browseFor(vscode.l10n.t('Add Folder'), undefined);
    list.show();
    if (folder === undefined || list.items.some(({ value }) => value === folder)) return;
    const selected = list.selectedItems.map(({ value }) => value);
    list.items = [...list.items, itemOf(folder)];
    list.selectedItems = list.items.filter(({ value }) => value === folder || selected.includes(value));
  };
  let isAdding = false;
  list.onDidTriggerButton(() => {
    isAdding = true;
    void addFolder().finally(() => {
      isAdding = false;
    });
  });
  const accepted = await accept(list, 2, () => isAdding);
  if (accepted === undefined) return undefined;
  if (accepted.length > 0) return accepted.map(({ value }) => value);
  void vscode.window.showInformationMessage(
    vscode.l10n.t('Heads are trained on source code: choose a folder at least.'),
  );
  return undefined;
}

async function chooseLabels(): Promise<TrainingChoice['labels'] | undefined> {
  const picked = await pickOne<TrainingChoice['labels']>(3, vscode.l10n.t('What the heads learn'), [
    {
      value: 'contribution',
      label: 'contribution',
      detail: vscode.l10n.t('How much each cache unit contributes to answers to questions about the code.'),
    },
    {
      value: 'published',
      label: 'published',
      description: vscode.l10n.t('as in the Locret paper'),
      detail: vscode.l10n.t('Which cache units such answers look at.'),
    },
    {
      value: 'reconstruction',
      label: 'reconstruction',
      detail: vscode.l10n.t('Which cache units are needed to repeat the code; for models that repeat well.'),
    },
  ]);
  return picked?.value;
}

async function chooseInput(): Promise<TrainingChoice['input'] | undefined> {
  const picked = await pickOne<TrainingChoice['input']>(4, vscode.l10n.t('What the heads read of a token'), [
    {
      value: 'qkv',
      label: 'qkv',
      description: vscode.l10n.t('as in the Locret paper'),
      detail: vscode.l10n.t('Query, key and value.'),
    },
    { value: 'hidden', label: 'hidden', detail: vscode.l10n.t('The hidden state: the heads are smaller.') },
  ]);
  return picked?.value;
}

async function chooseSteps(): Promise<number | undefined> {
  const input = vscode.window.createInputBox();
  input.title = title();
  input.step = totalSteps;
  input.totalSteps = totalSteps;
  input.ignoreFocusOut = true;
  input.value = String(usualSteps);
  input.prompt = vscode.l10n.t('Training steps, each on a sample of its own. Some hundreds give most of it.');
  const stepsOf = (text: string): number | undefined => {
    const value = Number(text);
    return Number.isSafeInteger(value) && value >= 1 && value <= mostSteps ? value : undefined;
  };
  const check = (text: string): void => {
    input.validationMessage =
      stepsOf(text) === undefined ? vscode.l10n.t('A whole number from 1 to {0}.', mostSteps) : undefined;
  };
  input.onDidChangeValue(check);
  input.show();
  try {
    return await new Promise((resolve) => {
      input.onDidHide(() => {
        resolve(undefined);
      });
      input.onDidAccept(() => {
        const steps = stepsOf(input.value);
        if (steps !== undefined) resolve(steps);
      });
    });
  } finally {
    input.dispose();
  }
}

function title(): string {
  return vscode.l10n.t('Train Retaining Heads');
}

/** Lets the user choose one; the first is the usual one. */
async function pickOne<Value>(
  step: number,
  placeholder: string,
  items: readonly Choosable<Value>[],
): Promise<Choosable<Value> | undefined> {
  const list = vscode.window.createQuickPick<Choosable<Value>>();
  list.items = items;
  list.placeholder = placeholder;
  list.matchOnDetail = true;
  list.ignoreFocusOut = true;
  const accepted = await accept(list, step, () => false);
  return accepted?.[0];
}

/**
 * Shows a list until something is accepted.
 * @param isAway whether it is hidden for a while because of a dialog
 * @returns undefined when it was left
 */
async function accept<Item extends vscode.QuickPickItem>(
  list: vscode.QuickPick<Item>,
  step: number,
  isAway: () => boolean,
): Promise<readonly Item[] | undefined> {
  list.title = title();
  list.step = step;
  list.totalSteps = totalSteps;
  list.show();
  try {
    return await new Promise((resolve) => {
      list.onDidHide(() => {
        if (!isAway()) resolve(undefined);
      });
      list.onDidAccept(() => {
        resolve(list.selectedItems);
      });
    });
  } finally {
    list.dispose();
  }
}
