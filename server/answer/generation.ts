import type { AnswerEnd } from '../contract/words.js';
import type { AttentionMass, Engine, Sampling } from '../engine/engine.js';
import type { GenerationSettings } from '../model/generation-settings.js';
import type { ModelTokenizer } from '../model/tokenizer.js';
import { RepetitionWatch } from './repetition.js';
import { StopStrings } from './stop-strings.js';

/** Sampling as far as somebody says how. */
export type SamplingChoice = { readonly [Name in keyof Sampling]?: Sampling[Name] | undefined };

/** Longest answer without a limit from the caller, in tokens. */
export const defaultMaxTokens = 256;

/** What the caller gives, then the model's generation settings, then the product's defaults (greedy). */
export function resolveSampling(given: SamplingChoice, model: GenerationSettings): Sampling {
  return {
    temperature: given.temperature ?? model.temperature ?? 0,
    topP: given.topP ?? model.topP ?? 1,
    topK: given.topK ?? model.topK ?? 0,
    minP: given.minP ?? 0,
    repetitionPenalty: given.repetitionPenalty ?? model.repetitionPenalty ?? 1,
    seed: given.seed ?? 0,
  };
}

export interface GeneratedText {
  readonly text: string;
  readonly tokens: number;
  readonly end: AnswerEnd;
  readonly attention: AttentionMass | undefined;
  /** `performance.now()` when the first token was chosen; undefined when none was. */
  readonly firstTokenAt: number | undefined;
}

/**
 * Generates text from where the engine stands, and passes it on as it comes. Stop strings end it, also across tokens,
 * and are not part of it; white space at the answer's beginning is left out. An answer that only repeats itself is
 * ended.
 */
export async function generateText(input: {
  readonly engine: Engine;
  readonly tokenizer: ModelTokenizer;
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly stopTokens: readonly number[];
  readonly stopStrings: readonly string[];
  /** Tokens of the question: they count for the repetition penalty. */
  readonly penalized: readonly number[];
  /** Whether the answer's attention to the memory is wanted. */
  readonly observe: boolean;
  readonly onText?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<GeneratedText> {
  const decoder = input.tokenizer.streamDecoder();
  const stop = new StopStrings(input.stopStrings);
  const repetition = new RepetitionWatch();
  let text = '';
  let firstTokenAt: number | undefined;
  const pass = (piece: string): void => {
    const visible = text === '' ? piece.trimStart() : piece;
    if (visible === '') return;
    text += visible;
    input.onText?.(visible);
  };
  const result = await input.engine.generate({
    maxTokens: input.maxTokens,
    sampling: input.sampling,
    stopTokens: input.stopTokens,
    penalized: input.penalized,
    observe: input.observe,
    onToken: (token) => {
      firstTokenAt ??= performance.now();
      pass(stop.push(decoder.push(token)));
      repetition.push(token);
      return !stop.stopped && !repetition.looped;
    },
    signal: input.signal,
  });
  if (!stop.stopped) pass(stop.push(decoder.end()));
  pass(stop.end());
  return {
    text: text.trimEnd(),
    tokens: result.tokens.length,
    end: stop.stopped ? 'stop-string' : repetition.looped ? 'repetition' : result.end,
    attention: result.attention,
    firstTokenAt,
  };
}
