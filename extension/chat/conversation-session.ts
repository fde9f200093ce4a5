import { randomUUID } from 'node:crypto';
import type * as vscode from 'vscode';
import type { AnswerMode, AskResult } from '../../server/contract/protocol.js';
import {
  historyOf,
  isRunning,
  type AnswerFacts,
  type Conversation,
  type Root,
  type RootAnswer,
  type Turn,
} from '../conversation/conversation.js';
import { ask, type AnswerPartial } from '../ask/ask.js';
import { RequestFailure, type Sidecar } from '../sidecar/sidecar.js';

/** What a session tells while it answers. */
export interface SessionListener {
  /** A turn is new or has changed, other than by text that was appended. */
  turnChanged(turn: Turn): void;
  /** Text was appended to an answer, behind its first `at` UTF-16 units. */
  textAppended(turn: string, root: string, at: number, text: string): void;
  turnRemoved(turn: string): void;
  /** The conversation is worth keeping as it is now. */
  kept(conversation: Conversation): void;
}

export type CancellationSource = Pick<vscode.CancellationTokenSource, 'token' | 'cancel' | 'dispose'>;

export interface SessionOptions {
  readonly sidecar: Sidecar;
  readonly createCancellation: () => CancellationSource;
  readonly now: () => number;
}

type RunningAnswer = Extract<RootAnswer, { state: 'running' }>;

/** One conversation that can go on: it asks its questions one after the other and holds what was answered. */
export class ConversationSession {
  private queue: Promise<void> = Promise.resolve();
  private readonly cancellations = new Map<string, CancellationSource>();

  constructor(
    private state: Conversation,
    private readonly options: SessionOptions,
    private readonly listener: SessionListener,
  ) {}

  get conversation(): Conversation {
    return this.state;
  }

  get isRunning(): boolean {
    return this.state.turns.some(isRunning);
  }

  rename(name: string | undefined): void {
    this.state = { ...this.state, name };
  }

  /** Asks the roots in turn; resolves when the last has answered, or failed to. */
  async ask(question: string, mode: AnswerMode, roots: readonly Root[]): Promise<void> {
    const turn: Turn = {
      id: randomUUID(),
      question,
      mode,
      asked: this.options.now(),
      answers: roots.map((root) => ({ root, text: '', state: 'running', phase: 'queued' })),
    };
    this.state = { ...this.state, turns: [...this.state.turns, turn] };
    this.listener.turnChanged(turn);
    await this.enqueue(turn.id);
  }

  /** Asks a question again, in its place in the conversation; what was answered before is dropped. */
  async retry(turnId: string): Promise<void> {
    const turn = this.turn(turnId);
    if (turn === undefined || isRunning(turn)) return;
    this.replace({
      ...turn,
      answers: turn.answers.map(({ root }) => ({ root, text: '', state: 'running', phase: 'queued' })),
    });
    await this.enqueue(turnId);
  }

  /** Appends questions that were answered elsewhere. */
  append(turns: readonly Turn[]): void {
    this.state = { ...this.state, turns: [...this.state.turns, ...turns] };
    this.keep();
  }

  /**
   * Ends what answers a question.
   * @returns the question when it was taken back: nothing of an answer had begun, so its turn is removed
   */
  stop(turnId: string): Turn | undefined {
    const turn = this.turn(turnId);
    if (turn === undefined || !isRunning(turn)) return undefined;
    const hasBegun = turn.answers.some(
      (answer) => answer.state !== 'running' || answer.phase === 'answering' || answer.text !== '',
    );
    if (hasBegun) {
      this.replace({
        ...turn,
        answers: turn.answers.map((answer) =>
          answer.state === 'running' ? { root: answer.root, text: answer.text, state: 'stopped', by: 'user' } : answer,
        ),
      });
      this.keep();
    } else {
      this.removeFromState(turnId);
    }
    this.cancel(turnId);
    return hasBegun ? undefined : turn;
  }

  /** Removes a question and its answers; what still answers it is ended. */
  remove(turnId: string): { readonly turn: Turn; readonly index: number } | undefined {
    const index = this.state.turns.findIndex(({ id }) => id === turnId);
    const turn = this.state.turns[index];
    if (turn === undefined) return undefined;
    if (isRunning(turn)) this.stop(turnId);
    const left = this.turn(turnId);
    if (left !== undefined) this.removeFromState(turnId);
    return { turn: left ?? turn, index };
  }

  /** Puts a removed question back where it stood. */
  restore(turn: Turn, index: number): void {
    this.state = { ...this.state, turns: this.state.turns.toSpliced(index, 0, turn) };
    this.keep();
  }

  /** Ends everything that answers. */
  dispose(): void {
    for (const turnId of this.cancellations.keys()) this.cancel(turnId);
  }

  private turn(turnId: string): Turn | undefined {
    return this.state.turns.find(({ id }) => id === turnId);
  }

  private cancel(turnId: string): void {
    this.cancellations.get(turnId)?.cancel();
  }

  private keep(): void {
    this.state = { ...this.state, changed: this.options.now() };
    this.listener.kept(this.state);
  }

  private removeFromState(turnId: string): void {
    this.state = { ...this.state, turns: this.state.turns.filter(({ id }) => id !== turnId) };
    this.keep();
    this.listener.turnRemoved(turnId);
  }

  private replace(turn: Turn): void {
    this.state = { ...this.state, turns: this.state.turns.map((other) => (other.id === turn.id ? turn : other)) };
    this.listener.turnChanged(turn);
  }

  /** The answer of a root while it runs; undefined when it was stopped or removed. */
  private running(turnId: string, root: string): RunningAnswer | undefined {
    // One that was stopped and is asked again waits in the queue: what the first request still sends is not for it.
    if (this.cancellations.get(turnId)?.token.isCancellationRequested === true) return undefined;
    const answer = this.turn(turnId)?.answers.find((candidate) => candidate.root.uri === root);
    return answer?.state === 'running' ? answer : undefined;
  }

  private replaceAnswer(turnId: string, answer: RootAnswer, isTold = true): void {
    const turn = this.turn(turnId);
    if (turn === undefined) return;
    const answers = turn.answers.map((other) => (other.root.uri === answer.root.uri ? answer : other));
    const changed = { ...turn, answers };
    if (isTold) this.replace(changed);
    else this.state = { ...this.state, turns: this.state.turns.map((other) => (other === turn ? changed : other)) };
  }

  private enqueue(turnId: string): Promise<void> {
    this.keep();
    this.queue = this.queue.then(() => this.answerTurn(turnId));
    return this.queue;
  }

  private async answerTurn(turnId: string): Promise<void> {
    for (const { root } of this.turn(turnId)?.answers ?? []) {
      if (this.running(turnId, root.uri) !== undefined) await this.answerRoot(turnId, root);
    }
  }

  private async answerRoot(turnId: string, root: Root): Promise<void> {
    const turn = this.turn(turnId);
    if (turn === undefined) return;
    const cancellation = this.options.createCancellation();
    this.cancellations.set(turnId, cancellation);
    try {
      const result = await ask(
        this.options.sidecar,
        {
          root: root.uri,
          question: turn.question,
          mode: turn.mode,
          history: historyOf(this.state.turns, turnId, root.uri),
        },
        {
          token: cancellation.token,
          onPartial: (partial) => {
            this.take(turnId, root, partial);
          },
        },
      );
      if (this.running(turnId, root.uri) !== undefined) {
        this.replaceAnswer(turnId, { root, text: result.text, state: 'answered', facts: factsOf(result) });
      }
    } catch (error) {
      const answer = this.running(turnId, root.uri);
      if (answer !== undefined) {
        this.replaceAnswer(turnId, { root, text: answer.text, state: 'failed', ...failureOf(error) });
      }
    } finally {
      this.cancellations.delete(turnId);
      cancellation.dispose();
    }
    this.keep();
  }

  private take(turnId: string, root: Root, partial: AnswerPartial): void {
    const answer = this.running(turnId, root.uri);
    if (answer === undefined) return;
    if (partial.kind === 'text') {
      const isFirst = answer.phase !== 'answering';
      const text = answer.text + partial.text;
      this.replaceAnswer(turnId, { root, text, state: 'running', phase: 'answering' }, isFirst);
      if (!isFirst) this.listener.textAppended(turnId, root.uri, answer.text.length, partial.text);
    } else if (partial.kind === 'phase') {
      this.replaceAnswer(turnId, { root, text: answer.text, state: 'running', phase: partial.phase });
    } else {
      this.replaceAnswer(turnId, { ...answer, progress: partial.progress });
    }
  }
}

function factsOf(result: AskResult): AnswerFacts {
  const { citations, coverage, recalled, timings, memory, notices } = result;
  return { citations, coverage, recalled, timings, memory, notices };
}

function failureOf(error: unknown): { readonly code: string; readonly message: string; readonly remedy: string } {
  if (error instanceof RequestFailure) return { code: error.code, message: error.message, remedy: error.remedy };
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error), remedy: '' };
}
