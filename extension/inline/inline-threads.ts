import * as vscode from 'vscode';
import { linesOfText } from '../places/document-lines.js';
import { pathInRoot } from '../places/path-in-root.js';
import { rootOf } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { InlineThread, type ThreadOrigin } from './inline-thread.js';
import { foundLines, movedLines, selectedText, type ThreadLines } from './thread-lines.js';
import { readThreadRecords, recordsToKeep } from './thread-record.js';

const stateKey = 'locret.inlineThreads';
/** Milliseconds without changes after which threads are written down. */
const savePause = 500;

/** All threads of the workspace: in their places, over edits and restarts. */
export class InlineThreads implements vscode.Disposable {
  private readonly controller = vscode.comments.createCommentController('locret', 'Locret');
  private readonly threads = new Map<vscode.CommentThread, InlineThread>();
  private readonly firstLines = new WeakMap<InlineThread, string>();
  private readonly icon: vscode.Uri;
  private readonly state: vscode.Memento;
  private readonly subscriptions: vscode.Disposable;
  private saving: NodeJS.Timeout | undefined;

  constructor(
    context: vscode.ExtensionContext,
    private readonly sidecar: Sidecar,
  ) {
    this.icon = vscode.Uri.joinPath(context.extensionUri, 'extension/media/icon.png');
    this.state = context.workspaceState;
    this.controller.options = {
      prompt: vscode.l10n.t('Ask about these lines …'),
      placeHolder: vscode.l10n.t('What do you want to know about these lines? Put names in backquotes.'),
    };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) =>
        rootOf(document.uri) === undefined ? [] : [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)],
    };
    this.subscriptions = vscode.Disposable.from(
      this.controller,
      vscode.workspace.onDidOpenTextDocument((document) => {
        this.placeIn(document);
      }),
      vscode.workspace.onDidChangeTextDocument((change) => {
        this.follow(change);
      }),
      vscode.workspace.onDidRenameFiles(({ files }) => {
        for (const { oldUri, newUri } of files) this.rename(oldUri, newUri);
      }),
    );
    this.restore();
  }

  dispose(): void {
    if (this.saving !== undefined) void this.write();
    for (const thread of this.threads.values()) thread.dispose();
    this.subscriptions.dispose();
  }

  /** The thread that VS Code hands over, new to us where it was begun with the editor's own “+”. */
  threadOf(thread: vscode.CommentThread): InlineThread | undefined {
    const known = this.threads.get(thread);
    if (known !== undefined) return known;
    const root = rootOf(thread.uri);
    const path = root === undefined ? undefined : pathInRoot(thread.uri, root);
    return root === undefined || path === undefined ? undefined : this.add(thread, { root, path });
  }

  /** Opens the thread that ends at a line, if there is one. */
  openAt(uri: vscode.Uri, endLine: number): boolean {
    const there = this.threadsIn(uri).filter(({ lines }) => lines.endLine === endLine);
    for (const { thread } of there) thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return there.length > 0;
  }

  /** Begins a thread at a line of a document, to ask in it at once. */
  begin(uri: vscode.Uri, line: number): InlineThread | undefined {
    const thread = this.controller.createCommentThread(uri, new vscode.Range(line - 1, 0, line - 1, 0), []);
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    const begun = this.threadOf(thread);
    if (begun === undefined) thread.dispose();
    return begun;
  }

  /**
   * Asks in a thread; resolves when it is answered.
   * @param about `lines`: the thread's lines go along as they stand in the editor; `name`: the question names what it is
   *   about
   */
  async ask(thread: InlineThread, question: string, about: 'lines' | 'name'): Promise<void> {
    const document = await vscode.workspace.openTextDocument(thread.thread.uri);
    const lines = linesOfText(document.getText());
    const { line, endLine } = thread.lines;
    this.firstLines.set(thread, lines[line - 1] ?? '');
    const selection = { path: thread.path, line, ...selectedText(lines, { line, endLine }) };
    try {
      await thread.ask(question, about === 'lines' ? selection : undefined);
    } finally {
      this.save();
    }
  }

  resolve(thread: InlineThread, isResolved: boolean): void {
    thread.resolve(isResolved);
    this.save();
  }

  delete(thread: InlineThread): void {
    this.threads.delete(thread.thread);
    thread.dispose();
    this.save();
  }

  private add(thread: vscode.CommentThread, origin: ThreadOrigin): InlineThread {
    const added = new InlineThread(this.sidecar, thread, origin, this.icon);
    this.threads.set(thread, added);
    return added;
  }

  private restore(): void {
    for (const record of readThreadRecords(this.state.get(stateKey))) {
      const uri = vscode.Uri.joinPath(vscode.Uri.parse(record.root), record.path);
      const range = new vscode.Range(record.line - 1, 0, record.endLine - 1, 0);
      const thread = this.controller.createCommentThread(uri, range, []);
      thread.collapsibleState = vscode.CommentThreadCollapsibleState.Collapsed;
      const { root, path, firstLine } = record;
      this.firstLines.set(this.add(thread, { root, path, record }), firstLine);
    }
    for (const document of vscode.workspace.textDocuments) this.placeIn(document);
  }

  private threadsIn(uri: vscode.Uri): InlineThread[] {
    const wanted = uri.toString();
    return [...this.threads.values()].filter(({ thread }) => thread.uri.toString() === wanted);
  }

  /** A document may have changed while it was closed: its threads go where their first lines are now. */
  private placeIn(document: vscode.TextDocument): void {
    const threads = this.threadsIn(document.uri);
    if (threads.length === 0) return;
    const lines = linesOfText(document.getText());
    for (const thread of threads) {
      const firstLine = this.firstLines.get(thread);
      if (firstLine !== undefined) thread.lines = foundLines(lines, { ...thread.lines, firstLine });
    }
  }

  private follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const threads = contentChanges.length === 0 ? [] : this.threadsIn(document.uri);
    if (threads.length === 0) return;
    for (const thread of threads) {
      // Changes of one event do not overlap and come from the bottom of the document to its top.
      thread.lines = contentChanges.reduce<ThreadLines>(
        (lines, { range, text }) =>
          movedLines(lines, {
            startLine: range.start.line,
            startCharacter: range.start.character,
            endLine: range.end.line,
            endCharacter: range.end.character,
            text,
          }),
        thread.lines,
      );
      this.firstLines.set(thread, document.lineAt(Math.min(thread.lines.line, document.lineCount) - 1).text);
    }
    this.save();
  }

  private rename(from: vscode.Uri, to: vscode.Uri): void {
    const before = from.toString();
    const moved = [...this.threads.values()].filter(({ thread }) => {
      const uri = thread.uri.toString();
      return uri === before || uri.startsWith(`${before}/`);
    });
    for (const old of moved) {
      const uri = vscode.Uri.parse(to.toString() + old.thread.uri.toString().slice(before.length));
      const root = rootOf(uri);
      const path = root === undefined ? undefined : pathInRoot(uri, root);
      if (root === undefined || path === undefined || old.isAnswering) continue;
      const firstLine = this.firstLines.get(old) ?? '';
      const record = { ...old.record(firstLine), root, path };
      const thread = this.controller.createCommentThread(uri, old.thread.range ?? new vscode.Range(0, 0, 0, 0), []);
      this.firstLines.set(this.add(thread, { root, path, record }), firstLine);
      this.delete(old);
    }
  }

  private save(): void {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => void this.write(), savePause);
  }

  private async write(): Promise<void> {
    clearTimeout(this.saving);
    this.saving = undefined;
    const records = [...this.threads.values()].map((thread) => thread.record(this.firstLines.get(thread) ?? ''));
    await this.state.update(stateKey, recordsToKeep(records));
  }
}
