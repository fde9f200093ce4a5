import * as vscode from 'vscode';

/** Puts code where the cursors of the active editor are. */
export async function insertAtCursor(text: string): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('Open a file first: the code goes where its cursor is.'));
    return;
  }
  const isInserted = await editor.edit((edit) => {
    for (const selection of editor.selections) edit.replace(selection, text);
  });
  if (!isInserted) void vscode.window.showWarningMessage(vscode.l10n.t('This editor cannot be changed.'));
  await vscode.window.showTextDocument(editor.document, editor.viewColumn);
}

/** Opens code as an unsaved file; a language that VS Code does not know is shown as plain text. */
export async function openAsNewFile(text: string, language: string): Promise<void> {
  const known = await vscode.languages.getLanguages();
  const document = await vscode.workspace.openTextDocument({
    content: text,
    language: known.includes(language) ? language : 'plaintext',
  });
  await vscode.window.showTextDocument(document);
}
