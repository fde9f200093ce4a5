import * as vscode from 'vscode';
import { offerFolder } from '../places/folder-offer.js';
import type { Unavailable } from './availability.js';

/** Tells why a command is not possible, with a button for what would make it possible. */
export async function showUnavailable({ reason, remedy }: Unavailable): Promise<void> {
  switch (remedy) {
    case 'openFolder':
      await offerFolder();
      return;
    case 'restart': {
      const restart = vscode.l10n.t('Restart');
      const showLog = vscode.l10n.t('Show Log');
      const chosen = await vscode.window.showErrorMessage(reason, restart, showLog);
      if (chosen === restart) await vscode.commands.executeCommand('locret.restart');
      if (chosen === showLog) await vscode.commands.executeCommand('locret.showLog');
      return;
    }
    case 'read': {
      const read = vscode.l10n.t('Read');
      const chosen = await vscode.window.showInformationMessage(reason, read);
      if (chosen === read) await vscode.commands.executeCommand('locret.read');
      return;
    }
    case 'trust': {
      const manage = vscode.l10n.t('Manage Trust');
      const chosen = await vscode.window.showInformationMessage(reason, manage);
      if (chosen === manage) await vscode.commands.executeCommand('workbench.trust.manage');
      return;
    }
    case 'none':
      await vscode.window.showInformationMessage(reason);
  }
}
