import * as vscode from 'vscode';
import type { CodeActionCommands } from '../../server/contract/protocol.js';
import type { ChatPanel } from '../chat/chat-panel.js';
import { showFailure } from '../failures/failures.js';
import { rootOf } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { registerAnswerLinks } from './answer-links.js';
import type { InlineThread } from './inline-thread.js';
import { InlineThreads } from './inline-threads.js';
import { questionAbout } from './symbol-word.js';
import { symbolAtCursor, symbolAtLine, type AskedSymbol } from './symbol-at.js';

type SelectionPlace = CodeActionCommands['locret.askSelection'][0];
type SymbolPlace = CodeActionCommands['locret.explainSymbol'][0];

/** Registers questions about lines of a document, asked and answered beside them. */
export function registerInline(context: vscode.ExtensionContext, sidecar: Sidecar, chat: ChatPanel): void {
  const threads = new InlineThreads(context, sidecar);

  /** A command of a thread's menu: VS Code hands over the thread. */
  function registerThreadCommand(command: string, run: (thread: InlineThread) => unknown): vscode.Disposable {
    return vscode.commands.registerCommand(command, (thread: vscode.CommentThread) => {
      const known = threads.threadOf(thread);
      return known === undefined ? undefined : run(known);
    });
  }

  context.subscriptions.push(
    threads,
    registerAnswerLinks(),
    vscode.commands.registerCommand('locret.askSelection', (place?: unknown) => askSelection(threads, place)),
    vscode.commands.registerCommand('locret.explainSymbol', (place?: unknown) =>
      explainSymbol(threads, sidecar, place),
    ),
    vscode.commands.registerCommand('locret.inline.ask', ({ thread, text }: vscode.CommentReply) => {
      const known = threads.threadOf(thread);
      if (known === undefined || text.trim() === '') return undefined;
      return threads.ask(known, text.trim(), 'lines').catch(showFailure);
    }),
    registerThreadCommand('locret.inline.stop', (thread) => {
      thread.stop();
    }),
    registerThreadCommand('locret.inline.resolve', (thread) => {
      threads.resolve(thread, true);
    }),
    registerThreadCommand('locret.inline.reopen', (thread) => {
      threads.resolve(thread, false);
    }),
    registerThreadCommand('locret.inline.delete', (thread) => {
      threads.delete(thread);
    }),
    registerThreadCommand('locret.inline.openInChat', (thread) => chat.continueFrom(thread.history, thread.root)),
  );
}

/** Opens a reply box at lines; where a thread ends at the same line, that thread: VS Code has one place for both. */
async function askSelection(threads: InlineThreads, place: unknown): Promise<void> {
  const lines = isPlace(place) ? place : selectedPlace();
  if (lines === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Open a file and select the lines that you want to ask about.'),
    );
    return;
  }
  const uri = vscode.Uri.parse(lines.uri);
  const editor = await showIn(uri, lines.line);
  if (editor === undefined) return;
  const { range } = editor.document.lineAt(Math.min(lines.endLine, editor.document.lineCount) - 1);
  editor.selection = new vscode.Selection(new vscode.Position(lines.line - 1, 0), range.end);
  // Only the editor's own command puts the focus into the reply box.
  const command = threads.openAt(uri, lines.endLine) ? 'focusCommentOnCurrentLine' : 'addComment';
  await vscode.commands.executeCommand(`workbench.action.${command}`);
}

async function explainSymbol(threads: InlineThreads, sidecar: Sidecar, place: unknown): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  let symbol: AskedSymbol | undefined;
  try {
    symbol = isSymbolPlace(place)
      ? await symbolAtLine(sidecar, place)
      : editor && (await symbolAtCursor(sidecar, editor));
  } catch (error) {
    await showFailure(error);
    return;
  }
  if (symbol === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no symbol here. Put the cursor on a name or into a definition.'),
    );
    return;
  }
  if ((await showIn(symbol.uri, symbol.line)) === undefined) return;
  const thread = threads.begin(symbol.uri, symbol.line);
  // The name says all: what it is defined as is recalled.
  if (thread !== undefined) await threads.ask(thread, questionAbout(symbol.name), 'name').catch(showFailure);
}

/** Shows the document a question is about. Undefined, and the user knows why, when it cannot be asked about. */
async function showIn(uri: vscode.Uri, line: number): Promise<vscode.TextEditor | undefined> {
  if (rootOf(uri) === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('This file does not belong to an open folder, so nothing of it was read.'),
    );
    return undefined;
  }
  const editor = await vscode.window.showTextDocument(uri, { preview: false });
  editor.revealRange(new vscode.Range(line - 1, 0, line - 1, 0), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  return editor;
}

/** The selected lines of the active editor; without a selection the cursor's. */
function selectedPlace(): SelectionPlace | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return undefined;
  const { start, end, isSingleLine } = editor.selection;
  // A selection that ends before the first sign of a line does not mean that line.
  const last = end.character === 0 && !isSingleLine ? end.line - 1 : end.line;
  return { uri: editor.document.uri.toString(), line: start.line + 1, endLine: last + 1 };
}

function isSymbolPlace(value: unknown): value is SymbolPlace {
  if (typeof value !== 'object' || value === null || !('uri' in value) || !('line' in value)) return false;
  return typeof value.uri === 'string' && typeof value.line === 'number';
}

function isPlace(value: unknown): value is SelectionPlace {
  return isSymbolPlace(value) && 'endLine' in value && typeof value.endLine === 'number';
}
