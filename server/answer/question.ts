import type { Turn } from '../contract/answers.js';
import { LocretError } from '../errors.js';
import type { SamplingChoice } from './generation.js';
import type { SelectedLines } from './selection.js';

/** A question and how it is to be answered. */
export interface Question {
  readonly question: string;
  /** Earlier turns about the same memory, oldest first. */
  readonly history?: readonly Turn[] | undefined;
  /** Lines that the question is about; they stand right before it. */
  readonly selection?: SelectedLines | undefined;
  /**
   * Tokens for definitions that are re-read; 0 switches recall off; default: what the model's locret.json says, or an
   * eighth of its window.
   */
  readonly recallTokens?: number | undefined;
  /** Longest answer, in tokens. */
  readonly maxTokens?: number | undefined;
  /** What is given; the model's generation settings and the product's defaults (greedy) fill the rest. */
  readonly sampling?: SamplingChoice | undefined;
  /** Texts that end the answer. */
  readonly stop?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece of the answer as it comes. */
  readonly onText?: ((text: string) => void) | undefined;
}

/** @throws LocretError invalid-argument when there is nothing asked */
export function questionTextOf({ question }: Pick<Question, 'question'>): string {
  const text = question.trim();
  if (text !== '') return text;
  throw new LocretError('invalid-argument', 'The question is empty.', 'Ask something, in words or by a name.');
}
