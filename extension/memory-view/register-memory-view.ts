import * as vscode from 'vscode';
import type { Sidecar } from '../sidecar/sidecar.js';
import { RememberedRoots } from './remembered-roots.js';
import { RememberedView } from './remembered-view.js';
import { Shading } from './shading.js';
import { markStaleFiles } from './stale-decorations.js';

const shadingKey = 'locret.shading';

/** Shows what is remembered: the view in the explorer, and the shading of open editors. */
export function registerMemoryView(context: vscode.ExtensionContext, sidecar: Sidecar): void {
  const remembered = new RememberedRoots(sidecar);
  const view = new RememberedView(remembered, context.workspaceState);
  const shading = new ShadingSwitch(context.workspaceState, () => new Shading(sidecar, remembered));
  context.subscriptions.push(
    remembered,
    view,
    shading,
    markStaleFiles(remembered),
    vscode.commands.registerCommand('locret.showRemembered', () => view.show()),
    vscode.commands.registerCommand('locret.sortRemembered', () => view.chooseOrder()),
    vscode.commands.registerCommand('locret.toggleShading', async () => {
      await shading.toggle();
      if (shading.isOn && sidecar.status.roots.every(({ memory }) => memory === undefined)) await offerReading();
    }),
  );
}

/** Tells why nothing is shaded, and offers what helps. */
async function offerReading(): Promise<void> {
  const read = vscode.l10n.t('Read');
  const reason = vscode.l10n.t('Lines are shaded once the repository is in memory.');
  const chosen = await vscode.window.showInformationMessage(reason, read);
  if (chosen === read) await vscode.commands.executeCommand('locret.read');
}

/** Whether editors are shaded; kept for the workspace. */
class ShadingSwitch implements vscode.Disposable {
  private shading: Shading | undefined;

  constructor(
    private readonly state: vscode.Memento,
    private readonly start: () => Shading,
  ) {
    if (state.get(shadingKey) === true) this.shading = start();
  }

  get isOn(): boolean {
    return this.shading !== undefined;
  }

  async toggle(): Promise<void> {
    const wasOn = this.isOn;
    this.shading?.dispose();
    this.shading = wasOn ? undefined : this.start();
    await this.state.update(shadingKey, !wasOn);
  }

  dispose(): void {
    this.shading?.dispose();
  }
}
