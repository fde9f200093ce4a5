import type { JsonReader } from '../../server/contract/json.js';
import { ObjectReader, UnexpectedShape } from '../conversation/object-reader.js';
import type { RootUri, Turn } from '../../server/contract/protocol.js';

/** A question in a thread, and what was answered. */
export interface ThreadTurn {
  readonly question: string;
  /** The model's words, for the history of later questions; empty when it was stopped before it said anything. */
  readonly answer: string;
  /** The answer as the thread shows it, Markdown. */
  readonly shown: string;
  /** Milliseconds since 1970. */
  readonly asked: number;
}

/** A thread as it is kept over restarts. Lines are 1-based and inclusive. */
export interface ThreadRecord {
  readonly root: RootUri;
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  /** Text of its first line, by which it is found again. */
  readonly firstLine: string;
  readonly isResolved: boolean;
  readonly turns: readonly ThreadTurn[];
}

/** Threads that are kept; the oldest leave first. */
const mostThreads = 100;
/** Turns of a thread that are kept, the newest. */
const mostTurns = 20;
/** UTF-16 units of a text that are accepted. */
const longestText = 100_000;

/** The threads worth keeping: those in which something was asked, the newest ones. */
export function recordsToKeep(records: readonly ThreadRecord[]): ThreadRecord[] {
  const newest = (record: ThreadRecord): number => record.turns.at(-1)?.asked ?? 0;
  return records
    .filter(({ turns }) => turns.length > 0)
    .sort((a, b) => newest(a) - newest(b))
    .slice(-mostThreads)
    .map((record) => ({ ...record, turns: record.turns.slice(-mostTurns) }));
}

/** Reads what was kept. What is not a thread is left out: another version may have written it. */
export function readThreadRecords(value: unknown): ThreadRecord[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-mostThreads).flatMap((element: unknown) => {
    try {
      return [readThread(new ObjectReader(element, 'thread'))];
    } catch (error) {
      if (error instanceof UnexpectedShape) return [];
      throw error;
    }
  });
}

function readThread(reader: JsonReader): ThreadRecord {
  const line = reader.line('line');
  return {
    root: reader.text('root', longestText),
    path: reader.text('path', longestText),
    line,
    endLine: Math.max(line, reader.line('endLine')),
    firstLine: reader.text('firstLine', longestText),
    isResolved: reader.flag('isResolved'),
    turns: reader.list('turns', readTurn, mostTurns),
  };
}

function readTurn(reader: JsonReader): ThreadTurn {
  return {
    question: reader.text('question', longestText),
    answer: reader.text('answer', longestText),
    shown: reader.text('shown', longestText),
    asked: reader.amount('asked'),
  };
}

/** The history that a next question in the thread has. */
export function historyOf(turns: readonly ThreadTurn[]): Turn[] {
  return turns.filter(({ answer }) => answer !== '').map(({ question, answer }) => ({ question, answer }));
}
