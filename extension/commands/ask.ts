import * as vscode from 'vscode';
import type { ChatPanel } from '../chat/chat-panel.js';
import { rootOf } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';

/**
 * Asks a question in the chat panel: about the folder of the active editor, else about the one that is chosen there.
 * @param argument the question; anything else: the user is asked for it
 */
export async function ask(sidecar: Sidecar, chat: ChatPanel, argument: unknown, deep: boolean): Promise<void> {
  const question = typeof argument === 'string' ? argument : await inputQuestion(sidecar, deep);
  if (question === undefined || question.trim() === '') return;
  const editor = vscode.window.activeTextEditor;
  const root = editor && rootOf(editor.document.uri);
  await chat.ask(question.trim(), root === undefined ? { deep } : { deep, root });
}

function inputQuestion({ status }: Sidecar, deep: boolean): Thenable<string | undefined> {
  const isUnread = status.roots.every(({ memory, snapshot }) => memory === undefined && !snapshot);
  const memoryHint = isUnread
    ? vscode.l10n.t('Nothing has been read yet: the repository is read first.')
    : vscode.l10n.t('Answered from memory, with what the question names read again.');
  return vscode.window.showInputBox({
    title: deep ? vscode.l10n.t('Deep ask') : vscode.l10n.t('Ask the repository'),
    prompt: deep
      ? vscode.l10n.t('The whole repository is read again with the question first; that takes as long as reading it.')
      : memoryHint,
    placeHolder: vscode.l10n.t('Where is `parseConfig` defined?'),
  });
}
