import type { ReadProgress, RootParams } from './roots.js';
import type { AnswerEnd, AnswerMode, CitationSource, MemorySource, RecallReason } from './words.js';

/** A question and the answer it got. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
}

/** Lines of a document that a question is about, as they stand in the editor now. */
export interface Selection {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

export interface AskParams extends RootParams {
  readonly question: string;
  /** Earlier turns about the same root, oldest first. */
  readonly history?: readonly Turn[] | undefined;
  /** Default `memory`. `deep`: the repository is read again with the question first. */
  readonly mode?: AnswerMode | undefined;
  readonly selection?: Selection | undefined;
}

/** What is done for an answer. `waiting`: for another operation on the engine. `opening`: the memory is loaded or read. */
export type AskPhase = 'waiting' | 'opening' | 'reading' | 'answering';

/** What comes while a question is answered (partial results of `locret/ask`). */
export type AskPartial =
  | { readonly kind: 'phase'; readonly phase: AskPhase }
  /** How far the reading of a deep question is. */
  | { readonly kind: 'progress'; readonly progress: ReadProgress }
  | { readonly kind: 'text'; readonly text: string };

/** A link that was checked against the file as it is now. Lines are 1-based and inclusive. */
export interface Citation {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  /** Name of the definition that stands there. */
  readonly name?: string | undefined;
  readonly from: CitationSource;
}

/** A piece of a file, re-read from disk or selected in an editor, that was placed between the memory and the question. */
export interface RecalledBlock {
  readonly path: string;
  readonly line: number;
  /** Last line shown to the model. */
  readonly endLine: number;
  readonly name?: string | undefined;
  readonly reason: RecallReason;
  readonly tokens: number;
  /** Lines of the definition that did not fit; 0 when it was shown whole. */
  readonly cut: number;
}

export interface AnswerTimings {
  /** Looking up names, observing the question's attention, re-reading definitions. */
  readonly recallSeconds: number;
  /** From the call to the first token. */
  readonly firstTokenSeconds: number;
  readonly totalSeconds: number;
  /** Tokens read behind the memory: recall blocks, earlier turns, question. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** While decoding. */
  readonly tokensPerSecond: number;
}

/** The memory that was asked, in numbers. */
export interface MemoryFacts {
  readonly model: string;
  readonly source: MemorySource;
  /** Seconds that the read or the restore took. */
  readonly seconds: number;
  readonly tokensRead: number;
  /** Cache units per KV head. */
  readonly units: number;
  readonly cacheBytes: number;
  readonly weightBytes: number;
  readonly policy: string;
  readonly precision: string;
}

/** How much of the repository an answer rests on. The lists: `locret/coverage`. */
export interface CoverageCounts {
  readonly filesRead: number;
  readonly tokensRead: number;
  readonly skipped: number;
  readonly changed: number;
}

export interface AskResult {
  readonly mode: AnswerMode;
  readonly text: string;
  /** Checked against the files as they are now; best first. */
  readonly citations: readonly Citation[];
  readonly coverage: CoverageCounts;
  /** Definitions that were re-read for this question. */
  readonly recalled: readonly RecalledBlock[];
  readonly timings: AnswerTimings;
  readonly memory: MemoryFacts;
  readonly end: AnswerEnd;
  /** Everything that was cut, dropped, not found or has changed, in sentences. */
  readonly notices: readonly string[];
}
