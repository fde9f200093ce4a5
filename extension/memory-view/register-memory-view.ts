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
  const view = new RememberedView(remembered);
  const shading = new ShadingSwitch(context.workspaceState, () => new Shading(sidecar, remembered));
  context.subscriptions.push(
    remembered,
    view,
    shading,
    markStaleFiles(remembered),
    vscode.commands.registerCommand('locret.showRemembered', () => view.show()),
    vscode.commands.registerCommand('locret.toggleShading', () => shading.toggle()),
  );
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

  async toggle(): Promise<void> {
    const isOn = this.shading === undefined;
    this.shading?.dispose();
    this.shading = isOn ? this.start() : undefined;
    await this.state.update(shadingKey, isOn);
  }

  dispose(): void {
    this.shading?.dispose();
  }
}
