import type { AnswerTimings, Citation, MemoryFacts, RecalledBlock } from '../contract/answers.js';
import type { AnswerEnd, AnswerMode } from '../contract/words.js';
import type { Coverage } from '../memory/contents/memory.js';

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
