import * as vscode from 'vscode';
import type { Conversation } from './conversation.js';
import { conversationLanguage } from './conversation-language.js';
import { conversationToMarkdown, fileNameOf } from './conversation-markdown.js';

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

/** A place in the folder that no file and no open document has yet. */
async function freePlace(folder: vscode.Uri, fileName: string): Promise<vscode.Uri> {
  const isOpen = (path: string): boolean => vscode.workspace.textDocuments.some(({ uri }) => uri.path === path);
  for (let number = 1; ; number++) {
    const name = number === 1 ? fileName : fileName.replace(/(?=\.locret\.md$)/, `-${number}`);
    const uri = vscode.Uri.joinPath(folder, name);
    if (!isOpen(uri.path) && !(await exists(uri))) return uri;
  }
}

/**
 * Opens a conversation as an unsaved Markdown document. Saving it puts it into the folder, where its links hold as
 * they are.
 */
export async function exportConversation(conversation: Conversation, folder: vscode.Uri | undefined): Promise<void> {
  const content = conversationToMarkdown(conversation, new Date());
  if (folder === undefined) {
    const document = await vscode.workspace.openTextDocument({ language: conversationLanguage, content });
    await vscode.window.showTextDocument(document);
    return;
  }
  const place = await freePlace(folder, fileNameOf(conversation));
  const document = await vscode.workspace.openTextDocument(place.with({ scheme: 'untitled' }));
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, new vscode.Position(0, 0), content);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document);
}
