import * as vscode from 'vscode';
import { showFailure } from '../failures/failures.js';

type Setting = 'model' | 'heads';

/**
 * Sets the model, and the heads that were trained for it; without them the model's own are used. Each is set where it is
 * set now: for this workspace if it is set there, else for the user.
 */
export async function useModel(model: string, heads: string | undefined): Promise<void> {
  try {
    // Heads of one model are of no use to another: they leave first.
    if (isSetTo('model', model)) {
      await update('heads', heads);
      return;
    }
    await update('heads', undefined);
    await update('model', model);
    if (heads !== undefined) await update('heads', heads);
  } catch (error) {
    await showFailure(error);
  }
}

function isSetTo(setting: Setting, value: string): boolean {
  return vscode.workspace.getConfiguration('locret').get(setting) === value;
}

async function update(setting: Setting, value: string | undefined): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('locret');
  const found = configuration.inspect(setting);
  const isSetHere = found?.workspaceValue !== undefined && vscode.workspace.isTrusted;
  if (value === undefined && !isSetHere && found?.globalValue === undefined) return;
  await configuration.update(setting, value, !isSetHere);
}
