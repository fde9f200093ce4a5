import { LocretError } from '../errors.js';
import type { Sampling } from './engine.js';
import { bitsOf, highestByMass, orderedKey } from '../eviction/radix-selection.js';
import { lowestOfHighest } from './lowest-of-highest.js';
import { seededRandom } from './random.js';

/** What the next token is drawn from: tokens ascending, their probabilities adding up to 1. */
export interface TokenDistribution {
  readonly tokens: Int32Array;
  readonly probabilities: Float64Array;
}

/** Chooses one token after another; what it chose counts for the repetition penalty. */
export interface Sampler {
  /**
   * The token that follows.
   * @param logits `[vocabulary]`, not changed; -Infinity excludes a token
   * @throws LocretError model-corrupt when the logits cannot be a distribution
   */
  choose(logits: Float32Array): number;
  /** What `choose` draws from. With temperature 0: the one token. Valid until the next call. */
  distribution(logits: Float32Array): TokenDistribution;
}

function checkSampling(sampling: Sampling): void {
  const { temperature, topP, topK, minP, repetitionPenalty, seed } = sampling;
  const rules: readonly (readonly [name: string, value: number, ok: boolean, expected: string])[] = [
    ['temperature', temperature, temperature >= 0 && temperature < Infinity, 'a number of 0 or more'],
    ['top-p', topP, topP >= 0 && topP <= 1, 'from 0 to 1 (1: off)'],
    ['top-k', topK, Number.isSafeInteger(topK) && topK >= 0, 'a whole number of 0 (off) or more'],
    ['min-p', minP, minP >= 0 && minP <= 1, 'from 0 to 1'],
    [
      'repetition penalty',
      repetitionPenalty,
      repetitionPenalty >= 0.01 && repetitionPenalty <= 100,
      'from 0.01 to 100 (1: off)',
    ],
    ['seed', seed, Number.isSafeInteger(seed), 'a whole number'],
  ];
  for (const [name, value, ok, expected] of rules) {
    if (ok) continue;
    throw new LocretError('invalid-argument', `The ${name} is ${value}.`, `Give a ${name} that is ${expected}.`);
  }
}

/** The most likely token, of equals the lowest. NaN and infinity among the logits are refused. */
function argmax(logits: Float32Array): number {
  let best = -1;
  let highest = -Infinity;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] ?? 0;
    if (logit > highest) {
      best = token;
      highest = logit;
    } else if (Number.isNaN(logit)) {
      highest = NaN;
      break;
    }
  }
  if (Number.isFinite(highest)) return best;
  throw new LocretError(
    'model-corrupt',
    `The model's logits are no distribution: the highest of ${logits.length} is ${best < 0 ? 'missing' : highest}.`,
    "Check the model's weights, or try a higher precision (float32).",
  );
}

class FilteredSampler implements Sampler {
  private readonly random;
  private readonly penalized: Set<number>;
  private logits = new Float32Array(0);
  private tokens = new Int32Array(0);
  private weights = new Float64Array(0);

  constructor(
    private readonly sampling: Sampling,
    penalized: readonly number[],
  ) {
    this.random = seededRandom(sampling.seed);
    this.penalized = new Set(penalized);
  }

  choose(logits: Float32Array): number {
    const token = this.draw(logits);
    this.penalized.add(token);
    return token;
  }

  distribution(logits: Float32Array): TokenDistribution {
    const count = this.filter(logits);
    const probabilities = this.weights.slice(0, count);
    const sum = probabilities.reduce((a, b) => a + b, 0);
    return { tokens: this.tokens.subarray(0, count), probabilities: probabilities.map((weight) => weight / sum) };
  }

  private draw(logits: Float32Array): number {
    const count = this.filter(logits);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.weights[i] ?? 0;
    let rest = count === 1 ? 0 : this.random() * sum;
    for (let i = 0; i < count; i++) {
      rest -= this.weights[i] ?? 0;
      if (rest < 0) return this.tokens[i] ?? 0;
    }
    // The sum was rounded and the random number close to 1.
    return this.lastPossible(count);
  }

  private lastPossible(count: number): number {
    let last = count - 1;
    while (last > 0 && this.weights[last] === 0) last--;
    return this.tokens[last] ?? 0;
  }

  /** Fills `tokens` and `weights` (unnormalized probabilities) with what the filters leave; returns how many. */
  private filter(source: Float32Array): number {
    this.allocate(source.length);
    const logits = this.penalize(source);
    const { temperature, topK, topP, minP } = this.sampling;
    const best = argmax(logits);
    if (temperature === 0) {
      this.tokens[0] = best;
      this.weights[0] = 1;
      return 1;
    }
    let count = this.weigh(logits[best] ?? 0, temperature, topK);
    if (topP < 1) count = this.keepMass(count, topP);
    if (minP > 0) count = this.keep(count, (i) => (this.weights[i] ?? 0) >= minP);
    return count;
  }

  private allocate(vocabulary: number): void {
    if (this.logits.length === vocabulary) return;
    this.logits = new Float32Array(vocabulary);
    this.tokens = new Int32Array(vocabulary);
    this.weights = new Float64Array(vocabulary);
  }

  private penalize(source: Float32Array): Float32Array {
    const { logits } = this;
    const { repetitionPenalty } = this.sampling;
    logits.set(source);
    if (repetitionPenalty === 1) return logits;
    for (const token of this.penalized) {
      const logit = logits[token];
      if (logit !== undefined) logits[token] = logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty;
    }
    return logits;
  }

  /**
   * Weights `exp((logit - top) / temperature)` of the `topK` highest logits and all that equal the lowest of them (0: of
   * all). The logits themselves stay as they are: a temperature does not change their order.
   */
  private weigh(top: number, temperature: number, topK: number): number {
    const { logits, tokens, weights } = this;
    const lowest = topK > 0 && topK < logits.length ? lowestOfHighest(logits, topK) : -Infinity;
    let count = 0;
    for (let token = 0; token < logits.length; token++) {
      const logit = logits[token] ?? 0;
      if (logit < lowest) continue;
      tokens[count] = token;
      weights[count++] = Math.exp((logit - top) / temperature);
    }
    return count;
  }

  /** Keeps the fewest likeliest tokens that together have at least `share` of the mass; of equals the lower ones. */
  private keepMass(count: number, share: number): number {
    const { logits, tokens, weights } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += weights[i] ?? 0;
      // Ascending tokens: no slot is overwritten before it was read.
      logits[i] = logits[tokens[i] ?? 0] ?? 0;
    }
    const bits = bitsOf(logits, count);
    const threshold = highestByMass(bits, weights, count, Math.max(share * sum, Number.MIN_VALUE));
    let ties = threshold.ties;
    return this.keep(count, (i) => {
      const key = orderedKey(bits[i] ?? 0);
      return key > threshold.key || (key === threshold.key && ties-- > 0);
    });
  }

  /** Keeps the tokens for which the test holds, in order. */
  private keep(count: number, test: (index: number) => boolean): number {
    let kept = 0;
    for (let i = 0; i < count; i++) {
      if (!test(i)) continue;
      this.tokens[kept] = this.tokens[i] ?? 0;
      this.weights[kept++] = this.weights[i] ?? 0;
    }
    return kept;
  }
}

/**
 * A sampler with the semantics and order of transformers' logits processors: repetition penalty (logits above 0 divided,
 * below multiplied), temperature, top-k, top-p, min-p. Without a full sort: top-k is a heap of k, top-p a radix selection,
 * so that a vocabulary of 150,000 costs a few passes over its logits. The same seed gives the same tokens on every platform.
 *
 * @param penalized tokens that count for the repetition penalty besides those it chooses; any order, repeats allowed
 * @throws LocretError invalid-argument when a number is out of its range
 */
export function createSampler(sampling: Sampling, penalized: readonly number[] = []): Sampler {
  checkSampling(sampling);
  return new FilteredSampler(sampling, penalized);
}
