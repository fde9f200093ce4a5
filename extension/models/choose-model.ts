import * as vscode from 'vscode';
import type { ModelEntry } from '../../server/contract/protocol.js';
import { displayLanguage } from '../text/display-language.js';
import { readableFolders } from '../places/places.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import { modelItem, planText, type ModelPlan } from './model-items.js';
import { useModel } from './use-model.js';

interface ListedModel extends vscode.QuickPickItem {
  readonly entry?: ModelEntry;
}

/** A model that the user wants: as the setting names it, and for people. */
interface Choice {
  readonly setting: string;
  readonly name: string;
  readonly plan: ModelPlan;
}

/** Lets the user choose the model from a list, or from a folder, with what each takes in memory. */
export async function chooseModel(sidecar: Sidecar): Promise<void> {
  const { models, folders } = await sidecar.request('locret/models', {});
  const picked = await new ModelList(sidecar, models).pick();
  if (picked === undefined) return;
  const choice = picked === 'browse' ? await browse(sidecar, folders) : picked;
  if (choice === undefined || !(await accepts(choice))) return;
  // Heads that were trained here were trained for the model before.
  await useModel(choice.setting, undefined);
  const text =
    choice.plan === undefined || 'refusal' in choice.plan
      ? vscode.l10n.t('{0} is used from now on.', choice.name)
      : vscode.l10n.t('{0} is used from now on; it {1}.', choice.name, planText(choice.plan, displayLanguage));
  void vscode.window.showInformationMessage(text);
}

/** The list of models; what each takes in memory is put in as the sidecar tells it. */
class ModelList {
  private readonly list = vscode.window.createQuickPick<ListedModel>();
  private readonly plans = new Map<string, ModelPlan>();

  constructor(
    private readonly sidecar: Sidecar,
    private readonly models: readonly ModelEntry[],
  ) {
    this.list.title = vscode.l10n.t('Choose the model that reads and answers');
    this.list.placeholder = vscode.l10n.t('Models of this extension and your own');
    this.list.matchOnDescription = true;
    this.list.matchOnDetail = true;
  }

  /** Undefined when the user chooses none. */
  async pick(): Promise<Choice | 'browse' | undefined> {
    const { list } = this;
    this.show();
    list.activeItems = list.items.filter(({ entry }) => entry !== undefined && this.isChosen(entry)).slice(0, 1);
    list.show();
    void this.makePlans();
    try {
      return await new Promise((resolve) => {
        list.onDidHide(() => {
          resolve(undefined);
        });
        list.onDidAccept(() => {
          const [item] = list.selectedItems;
          if (item === undefined) return;
          if (item.entry === undefined) resolve('browse');
          else if ('problem' in item.entry) void vscode.window.showWarningMessage(item.entry.problem);
          else resolve({ setting: item.entry.name, name: item.entry.name, plan: this.plans.get(item.entry.name) });
        });
      });
    } finally {
      list.dispose();
    }
  }

  private async makePlans(): Promise<void> {
    for (const entry of this.models) {
      if ('problem' in entry) continue;
      this.plans.set(entry.name, await planOf(this.sidecar, entry.folder));
      this.show();
    }
  }

  private show(): void {
    const active = this.list.activeItems[0]?.entry?.name;
    const items = this.models.map((entry): ListedModel => {
      return { entry, ...modelItem(entry, this.isChosen(entry), this.plans.get(entry.name), displayLanguage) };
    });
    const browseItem = { label: `$(folder-opened) ${vscode.l10n.t('Browse for a folder…')}`, alwaysShow: true };
    this.list.items = [...items, { label: '', kind: vscode.QuickPickItemKind.Separator }, browseItem];
    if (active !== undefined) this.list.activeItems = items.filter(({ entry }) => entry?.name === active);
  }

  private isChosen({ name, folder }: ModelEntry): boolean {
    const { model } = this.sidecar.status;
    return model === name || model === folder;
  }
}

async function browse(sidecar: Sidecar, folders: readonly string[]): Promise<Choice | undefined> {
  const own = folders.at(-1);
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: vscode.l10n.t('Use Model'),
      title: vscode.l10n.t('The folder of a model: config.json, safetensors and tokenizer.json'),
      ...(own === undefined ? {} : { defaultUri: vscode.Uri.file(own) }),
    })) ?? [];
  if (folder === undefined) return undefined;
  return { setting: folder.fsPath, name: folder.fsPath, plan: await planOf(sidecar, folder.fsPath) };
}

/** What a model takes to read the first folder; undefined where none is open. */
async function planOf(sidecar: Sidecar, model: string): Promise<ModelPlan> {
  const [folder] = readableFolders();
  if (folder === undefined) return undefined;
  try {
    return await sidecar.request('locret/plan', { root: folder.uri.toString(), model });
  } catch (error) {
    if (error instanceof RequestFailure) return { refusal: `${error.message} ${error.remedy}` };
    throw error;
  }
}

/** A model that cannot run now may be wanted all the same: what is free changes. */
async function accepts({ name, plan }: Choice): Promise<boolean> {
  if (plan === undefined || !('refusal' in plan)) return true;
  const anyway = vscode.l10n.t('Use Anyway');
  const message = vscode.l10n.t('{0} cannot be used now.', name);
  return (await vscode.window.showWarningMessage(message, { modal: true, detail: plan.refusal }, anyway)) === anyway;
}
