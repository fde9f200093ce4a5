import * as vscode from 'vscode';
import { remediesFor, type Remedy } from './failure-remedies.js';
import { RequestFailure } from '../sidecar/sidecar.js';

/**
 * Tells the user what failed and what helps, with buttons for it. Says nothing of what the user cancelled and of what they
 * were told already.
 * @param error whatever was thrown
 */
export async function showFailure(error: unknown): Promise<void> {
  if (error instanceof vscode.CancellationError) return;
  if (!(error instanceof RequestFailure)) {
    const message = error instanceof Error ? error.message : String(error);
    await showFailure(new RequestFailure('unexpected', message, vscode.l10n.t('The log may tell more.')));
    return;
  }
  if (error.announced || error.code === 'cancelled') return;
  const offers = remediesFor(error.code).map(offerOf);
  const chosen = await vscode.window.showErrorMessage(`${error.message} ${error.remedy}`, ...offers);
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command, ...chosen.arguments);
}

interface Offer extends vscode.MessageItem {
  readonly command: string;
  readonly arguments: readonly string[];
}

function offerOf(remedy: Remedy): Offer {
  switch (remedy) {
    case 'restart':
      return { title: vscode.l10n.t('Restart'), command: 'locret.restart', arguments: [] };
    case 'showLog':
      return { title: vscode.l10n.t('Show Log'), command: 'locret.showLog', arguments: [] };
    case 'chooseModel':
      return { title: vscode.l10n.t('Choose Model'), command: 'locret.chooseModel', arguments: [] };
    case 'showPlan':
      return { title: vscode.l10n.t('Show Memory Plan'), command: 'locret.showPlan', arguments: [] };
    case 'openSettings':
      return {
        title: vscode.l10n.t('Open Settings'),
        command: 'workbench.action.openSettings',
        arguments: ['@ext:locret.locret'],
      };
    case 'pauseTraining':
      return { title: vscode.l10n.t('Pause Training'), command: 'locret.pauseTraining', arguments: [] };
    case 'manageTrust':
      return { title: vscode.l10n.t('Manage Trust'), command: 'workbench.trust.manage', arguments: [] };
    case 'read':
      return { title: vscode.l10n.t('Read'), command: 'locret.read', arguments: [] };
  }
}
