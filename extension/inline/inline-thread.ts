import * as vscode from 'vscode';
import type { RootUri, Selection, Turn } from '../../server/contract/protocol.js';
import { ask, type AnswerPartial } from '../ask/ask.js';
import { displayLanguage } from '../text/display-language.js';
import { answerMarkdown, phaseText } from '../ask/answer-text.js';
import { escapeMarkdown, linklessMarkdown } from '../text/linkless-markdown.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';
import { answerBody, linkTargets } from './answer-links.js';
import type { ThreadLines } from './thread-lines.js';
import { historyOf, type ThreadRecord, type ThreadTurn } from './thread-record.js';

/** Milliseconds between two updates of an answer that is coming. */
const updatePause = 100;

/** What a thread is given. */
export interface ThreadOrigin {
  readonly root: RootUri;
  readonly path: string;
  /** The thread as it was kept, if it was there before. */
  readonly record?: ThreadRecord;
}

/** A thread of questions about lines of a document. */
export class InlineThread implements vscode.Disposable {
  readonly root: RootUri;
  readonly path: string;
  private readonly turns: ThreadTurn[];
  private isResolved: boolean;
  private cancellation: vscode.CancellationTokenSource | undefined;
  private isDisposed = false;

  /** @param icon of the answers' author */
  constructor(
    private readonly sidecar: Sidecar,
    readonly thread: vscode.CommentThread,
    { root, path, record }: ThreadOrigin,
    private readonly icon: vscode.Uri,
  ) {
    this.root = root;
    this.path = path;
    this.turns = [...(record?.turns ?? [])];
    this.isResolved = record?.isResolved ?? false;
    thread.label = vscode.l10n.t('Ask Locret');
    thread.comments = this.turns.flatMap((turn) => [
      this.question(turn),
      this.comment(answerBody(turn.shown), turn.asked),
    ]);
    this.showState();
  }

  get lines(): ThreadLines {
    const { range } = this.thread;
    return range === undefined ? { line: 1, endLine: 1 } : { line: range.start.line + 1, endLine: range.end.line + 1 };
  }

  set lines({ line, endLine }: ThreadLines) {
    const now = this.lines;
    if (now.line === line && now.endLine === endLine) return;
    this.thread.range = new vscode.Range(line - 1, 0, endLine - 1, 0);
  }

  /** @param firstLine text of the first line as it stands in the editor */
  record(firstLine: string): ThreadRecord {
    const { root, path, isResolved, turns } = this;
    return { root, path, ...this.lines, firstLine, isResolved, turns };
  }

  get history(): readonly Turn[] {
    return historyOf(this.turns);
  }

  get isAnswering(): boolean {
    return this.cancellation !== undefined;
  }

  /** Asks a question; resolves when it is answered, stopped or has failed, which the thread then says. */
  async ask(question: string, selection: Selection | undefined): Promise<void> {
    if (this.isAnswering) return;
    const { root, history } = this;
    const asked = Date.now();
    const cancellation = new vscode.CancellationTokenSource();
    this.cancellation = cancellation;
    this.isResolved = false;
    const answer = new GrowingAnswer(this.comment(new vscode.MarkdownString('…'), asked), () => {
      if (!this.isDisposed) this.thread.comments = [...this.thread.comments];
    });
    this.thread.comments = [...this.thread.comments, this.question({ question, asked }), answer.comment];
    this.showState();
    try {
      const result = await ask(
        this.sidecar,
        { root, question, history, selection },
        {
          token: cancellation.token,
          onPartial: (partial) => {
            answer.add(partial);
          },
        },
      );
      const shown = answerMarkdown(result, displayLanguage, linkTargets(root));
      this.finish(answer, { question, answer: result.text, shown, asked });
    } catch (error) {
      const shown = [linklessMarkdown(answer.text), endText(error)].filter((text) => text !== '').join('\n\n');
      this.finish(answer, { question, answer: answer.text, shown, asked });
      if (!(error instanceof RequestFailure)) throw error;
    } finally {
      cancellation.dispose();
      this.cancellation = undefined;
      this.showState();
    }
  }

  stop(): void {
    this.cancellation?.cancel();
  }

  resolve(isResolved: boolean): void {
    this.isResolved = isResolved;
    this.thread.collapsibleState = isResolved
      ? vscode.CommentThreadCollapsibleState.Collapsed
      : vscode.CommentThreadCollapsibleState.Expanded;
    this.showState();
  }

  dispose(): void {
    this.isDisposed = true;
    this.stop();
    this.thread.dispose();
  }

  private finish(answer: GrowingAnswer, turn: ThreadTurn): void {
    this.turns.push(turn);
    answer.end(answerBody(turn.shown));
  }

  /** What the menus of the thread go by. */
  private showState(): void {
    if (this.isDisposed) return;
    const { thread, isAnswering, isResolved } = this;
    const wasAsked = isAnswering || this.turns.length > 0;
    thread.contextValue = [
      ...(wasAsked ? [isResolved ? 'resolved' : 'open'] : []),
      ...(isAnswering ? ['answering'] : []),
      ...(this.history.length > 0 ? ['answered'] : []),
    ].join(' ');
    thread.state = isResolved ? vscode.CommentThreadState.Resolved : vscode.CommentThreadState.Unresolved;
    thread.canReply = !isAnswering;
  }

  private question({ question, asked }: Pick<ThreadTurn, 'question' | 'asked'>): vscode.Comment {
    return {
      author: { name: vscode.l10n.t('You') },
      body: new vscode.MarkdownString(linklessMarkdown(question)),
      mode: vscode.CommentMode.Preview,
      timestamp: new Date(asked),
    };
  }

  private comment(body: vscode.MarkdownString, asked: number): vscode.Comment {
    return {
      author: { name: 'Locret', iconPath: this.icon },
      body,
      mode: vscode.CommentMode.Preview,
      timestamp: new Date(asked),
    };
  }
}

/** How a question ended that got no whole answer. */
function endText(error: unknown): string {
  if (!(error instanceof RequestFailure)) return `⚠ ${vscode.l10n.t('The log may tell more.')}`;
  if (error.code === 'cancelled') return `*${escapeMarkdown(vscode.l10n.t('Stopped.'))}*`;
  return `⚠ ${escapeMarkdown(`${error.message} ${error.remedy}`)}`;
}

/** An answer while it comes: what is being done until there are words, then the words. */
class GrowingAnswer {
  text = '';
  private timer: NodeJS.Timeout | undefined;
  private phase = '';
  private isEnded = false;

  constructor(
    readonly comment: vscode.Comment,
    private readonly show: () => void,
  ) {}

  add(partial: AnswerPartial): void {
    if (partial.kind === 'text') this.text += partial.text;
    else this.phase = phaseText(partial, displayLanguage) ?? '';
    if (this.isEnded) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const words = linklessMarkdown(this.text, false);
      this.put(new vscode.MarkdownString(words === '' ? `*${escapeMarkdown(this.phase)}* …` : `${words} …`));
    }, updatePause);
  }

  end(body: vscode.MarkdownString): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.put(body);
  }

  private put(body: vscode.MarkdownString): void {
    this.comment.body = body;
    this.show();
  }
}
