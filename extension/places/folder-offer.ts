import * as vscode from 'vscode';

/** Tells why there is nothing to read in this window, and offers what helps. */
export async function offerFolder(): Promise<void> {
  const openFolder = vscode.l10n.t('Open Folder');
  const folders = vscode.workspace.workspaceFolders ?? [];
  const reason =
    folders.length === 0
      ? vscode.l10n.t('No folder is open. Locret answers questions about the folder that is open.')
      : vscode.l10n.t('The open folders are not on this machine’s disk, so the model cannot read them.');
  const chosen = await vscode.window.showInformationMessage(reason, openFolder);
  if (chosen === openFolder) await vscode.commands.executeCommand('workbench.action.files.openFolder');
}
