import { LocretError, throwIfCancelled } from '../errors.js';
import type { Decoder } from './decoder.js';
import type { GenerateOptions, GenerateResult } from './engine.js';
import { joinRows } from './join-rows.js';
import { createSampler } from './sampling.js';

/** @throws LocretError invalid-argument when there are none */
function lastLogits(decoder: Decoder): Float32Array {
  const logits = decoder.lastLogits();
  if (logits !== undefined) return logits;
  throw new LocretError(
    'invalid-argument',
    'There is nothing to continue: no token was read since the cache was emptied, restored or rewound.',
    'Read the prompt first.',
  );
}

/** Chooses the token after the last one. */
function chooser(decoder: Decoder, { sampling, penalized = [] }: GenerateOptions): () => number {
  const sampler = createSampler(sampling, penalized);
  const isArgmax = sampling.temperature === 0 && sampling.repetitionPenalty === 1;
  return () => {
    const likeliest = isArgmax ? decoder.likeliest() : undefined;
    return likeliest ?? sampler.choose(lastLogits(decoder));
  };
}

/**
 * Chooses tokens one by one and appends all but the last; see {@link Engine.generate}.
 * @param onStep called with the seconds that each token took in the model
 */
export async function generate(
  decoder: Decoder,
  options: GenerateOptions,
  onStep: (seconds: number) => void,
): Promise<GenerateResult> {
  const { maxTokens, stopTokens, observe = false, signal } = options;
  const choose = chooser(decoder, options);
  if (observe) decoder.startObserving(decoder.length);
  const tokens: number[] = [];
  const rows: Float32Array[] = [];
  let end: GenerateResult['end'] = 'token-limit';
  while (tokens.length < maxTokens) {
    throwIfCancelled(signal, 'Generating');
    const token = choose();
    if (stopTokens.includes(token)) {
      end = 'stop-token';
      break;
    }
    tokens.push(token);
    if (options.logits === true) rows.push(lastLogits(decoder).slice());
    if (options.onToken?.(token) === false) {
      end = 'stopped';
      break;
    }
    if (tokens.length === maxTokens) break;
    if (decoder.length >= decoder.room) {
      end = 'capacity';
      break;
    }
    const started = performance.now();
    await decoder.step(token, observe);
    onStep((performance.now() - started) / 1000);
  }
  return {
    tokens,
    end,
    ...(observe && tokens.length > 1 ? { attention: await decoder.observed() } : {}),
    ...(options.logits === true ? { logits: joinRows(rows) } : {}),
  };
}
