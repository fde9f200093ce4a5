import path from 'node:path';
import * as vscode from 'vscode';
import { registerConversationLanguage } from '../conversation/conversation-language.js';
import { ConversationStore, type UnreadableFile } from '../conversation/store.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { ChatPanel } from './chat-panel.js';

/** Registers the chat panel, its commands, and the language of exported conversations. */
export function registerChat(context: vscode.ExtensionContext, sidecar: Sidecar): ChatPanel {
  // Without a folder there is no storage of the workspace.
  const storage = context.storageUri ?? context.globalStorageUri;
  const store = new ConversationStore(path.join(storage.fsPath, 'conversations'), tellUnreadable);
  const panel = new ChatPanel(context, sidecar, store);
  context.subscriptions.push(
    panel,
    registerConversationLanguage(),
    vscode.commands.registerCommand('locret.newConversation', () => panel.newConversation()),
    vscode.commands.registerCommand('locret.showConversations', () => panel.showConversations()),
    vscode.commands.registerCommand('locret.exportConversation', () => panel.exportConversation()),
  );
  void panel.restore();
  return panel;
}

function tellUnreadable({ file, reason }: UnreadableFile): void {
  const show = vscode.l10n.t('Show File');
  const text = vscode.l10n.t('A conversation could not be read and was left aside: {0} ({1})', file, reason);
  void vscode.window.showWarningMessage(text, show).then(async (chosen) => {
    if (chosen === show) await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(file));
  });
}
