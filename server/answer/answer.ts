import type { GenerateResult } from '../engine/engine.js';
import type { Coverage } from '../memory/contents/memory.js';

/** How a link came about: re-read behind the memory, named by the answer, or attended to in the retained cache. */
export type CitationSource = 'recall' | 'answer' | 'memory';

/** A link that was checked against the file as it is now. Lines are 1-based and inclusive. */
export interface Citation {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  /** Name of the definition that stands there. */
  readonly name?: string;
  readonly from: CitationSource;
}

/**
 * Why a block is shown: the question is about it or about lines in it, gives its name exactly, gives a similar name,
 * gives its file, gave it in the turn before, or attends to it in the retained cache.
 */
export type RecallReason = 'selection' | 'name' | 'similar-name' | 'path' | 'earlier-turn' | 'attention';

/** A piece of a file, re-read from disk or selected in an editor, that was placed between the memory and the question. */
export interface RecalledBlock {
  readonly path: string;
  readonly line: number;
  /** Last line shown to the model. */
  readonly endLine: number;
  readonly name?: string;
  readonly reason: RecallReason;
  readonly tokens: number;
  /** Lines of the definition that did not fit; 0 when it was shown whole. */
  readonly cut: number;
}

/** How much of the question's attention to the retained cache falls on a file, beyond what a neutral question pays it. */
export interface FileAttention {
  readonly path: string;
  /** Standard deviations above a question-independent distribution. */
  readonly score: number;
}

/** What was re-read for a question. */
export interface Recall {
  /** In the order in which the model read them: the best is the last. */
  readonly blocks: readonly RecalledBlock[];
  readonly tokens: number;
  /** Tokens that recall could use. */
  readonly limit: number;
  /** Files that the question's attention falls on most, best first. */
  readonly files: readonly FileAttention[];
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
  readonly source: 'read' | 'snapshot' | 'update';
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

export type AnswerEnd = GenerateResult['end'] | 'stop-string' | 'repetition';

/** Asked of the ordinary memory, or of one that was read with the question first. */
export type AnswerMode = 'memory' | 'deep';

export interface Answer {
  readonly mode: AnswerMode;
  readonly text: string;
  /** Best first; every one was checked. */
  readonly citations: readonly Citation[];
  readonly coverage: Coverage;
  readonly recall: Recall;
  readonly timings: AnswerTimings;
  readonly memory: MemoryFacts;
  readonly end: AnswerEnd;
  /** Everything that was cut, dropped, not found or has changed, in sentences for people. */
  readonly notices: readonly string[];
}
