/**
 * A conversation with one or more repositories, as it is kept and as the chat panel's page shows it: plain data, with the
 * shapes of the contract.
 */
import type { AnswerMode, AskPhase, AskResult, ReadProgress } from '../../server/contract/protocol.js';

/** A workspace folder: its URI as a string, and its name. */
export interface Root {
  readonly uri: string;
  readonly name: string;
}

/** What an answer rests on and what it took. */
export type AnswerFacts = Omit<AskResult, 'mode' | 'text' | 'end'>;

/** How far the reading of files is, as it is shown. */
export type ReadingProgress = Omit<ReadProgress, 'tokensRead'>;

/**
 * What an answer is waiting for or doing. `queued`: behind an earlier question of the conversation. `paused`: reading was
 * paused, and the question waits until it goes on. `restarting`: the sidecar's process ended and is being started again.
 */
export type AnswerPhase = AskPhase | 'queued' | 'paused' | 'restarting';

/** The answer of one root to a question. */
export type RootAnswer = { readonly root: Root; readonly text: string } & (
  | { readonly state: 'running'; readonly phase: AnswerPhase; readonly progress?: ReadingProgress }
  /** Without facts when it was answered elsewhere in the editor. */
  | { readonly state: 'answered'; readonly facts?: AnswerFacts | undefined }
  /** `interrupted`: the window was closed while it was answered. */
  | { readonly state: 'stopped'; readonly by: 'user' | 'interrupted' }
  | { readonly state: 'failed'; readonly code: string; readonly message: string; readonly remedy: string }
);

/** A question, and its answer from every root that was asked. */
export interface Turn {
  readonly id: string;
  readonly question: string;
  readonly mode: AnswerMode;
  /** Milliseconds since 1970. */
  readonly asked: number;
  readonly answers: readonly RootAnswer[];
}

export interface Conversation {
  /** Lower-case letters, digits and dashes; also the name of its file. */
  readonly id: string;
  /** What the user called it; undefined while it is called after its first question. */
  readonly name?: string | undefined;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly changed: number;
  readonly turns: readonly Turn[];
}

/** What a list of conversations shows of one. */
export interface ConversationSummary {
  readonly id: string;
  /** Empty while nothing was asked. */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly changed: number;
  readonly turns: number;
  /** Names of the workspace folders that were asked. */
  readonly roots: readonly string[];
}

/** UTF-16 units of a title; what is longer is cut. */
const longestTitle = 80;
/** Turns that are handed to the model as history; the sidecar takes of them what fits. */
const longestHistory = 20;

/** What a conversation is called: its name, or the beginning of its first question; empty when it has neither. */
export function titleOf(conversation: Conversation): string {
  if (conversation.name !== undefined) return conversation.name;
  const text = (conversation.turns[0]?.question ?? '').replace(/`/g, '').replace(/\s+/g, ' ').trim();
  if (text.length <= longestTitle) return text;
  // Not in the middle of a surrogate pair.
  const cut = text.slice(0, longestTitle - 1).replace(/[\uD800-\uDBFF]$/, '');
  return `${cut.trimEnd()}…`;
}

/** True while any root still answers. */
export function isRunning(turn: Turn): boolean {
  return turn.answers.some(({ state }) => state === 'running');
}

/** A question that was asked and answered elsewhere in the editor. */
export function turnAnsweredElsewhere(
  { question, answer }: { readonly question: string; readonly answer: string },
  root: Root,
  asked: number,
): Turn {
  const answers: RootAnswer[] = [{ root, text: answer, state: 'answered' }];
  return { id: crypto.randomUUID(), question, mode: 'memory', asked, answers };
}

/** The answered questions to a root before a turn, oldest first. */
export function historyOf(
  turns: readonly Turn[],
  turnId: string,
  root: string,
): { readonly question: string; readonly answer: string }[] {
  const end = turns.findIndex(({ id }) => id === turnId);
  return turns
    .slice(0, end === -1 ? turns.length : end)
    .flatMap(({ question, answers }) =>
      answers
        .filter((answer) => answer.root.uri === root && answer.state === 'answered' && answer.text !== '')
        .map(({ text }) => ({ question, answer: text })),
    )
    .slice(-longestHistory);
}
