import type { CacheView } from '../../server/eviction/policy.js';
import { attentionSinks } from '../../server/eviction/sink-recent.js';
import type { ObservedQueries, Rival, ScoredView } from './rival.js';

/** Slots behind the cache that future queries are expected in. */
const future = 512;

/** Turns dimension pairs (i, i + pairs) of a vector in place, by given cosines and sines. */
function turn(vector: Float64Array, pairs: number, cos: (pair: number) => number, sin: (pair: number) => number): void {
  for (let pair = 0; pair < pairs; pair++) {
    const x = vector[pair] ?? 0;
    const y = vector[pair + pairs] ?? 0;
    vector[pair] = x * cos(pair) - y * sin(pair);
    vector[pair + pairs] = y * cos(pair) + x * sin(pair);
  }
}

/** The mean rotation of the slots behind the pass: cosines and sines per pair. */
function meanTurn({ rotation, firstSlot, rows }: ObservedQueries): { cos: Float64Array; sin: Float64Array } {
  const { pairs, slots, turnCos, turnSin } = rotation;
  const cos = new Float64Array(pairs);
  const sin = new Float64Array(pairs);
  const first = Math.min(firstSlot + rows, slots - 1);
  const end = Math.min(first + future, slots);
  for (let slot = first; slot < end; slot++) {
    for (let pair = 0; pair < pairs; pair++) {
      cos[pair] = (cos[pair] ?? 0) + (turnCos[slot * pairs + pair] ?? 0) / (end - first);
      sin[pair] = (sin[pair] ?? 0) + (turnSin[slot * pairs + pair] ?? 0) / (end - first);
    }
  }
  return { cos, sin };
}

/** The pass's queries of one head before rotation, then turned as future ones are on average: `rows` vectors. */
function futureQueries(observed: ObservedQueries, head: number, headDim: number): Float64Array[] {
  const { queries, rows, heads, firstSlot, rotation } = observed;
  const { pairs, turnCos, turnSin } = rotation;
  const { cos, sin } = meanTurn(observed);
  return Array.from({ length: rows }, (_, row) => {
    const from = (row * heads + head) * headDim;
    const query = Float64Array.from(queries.subarray(from, from + headDim));
    const at = (firstSlot + row) * pairs;
    turn(
      query,
      pairs,
      (pair) => turnCos[at + pair] ?? 0,
      (pair) => -(turnSin[at + pair] ?? 0),
    );
    turn(
      query,
      pairs,
      (pair) => cos[pair] ?? 0,
      (pair) => sin[pair] ?? 0,
    );
    return query;
  });
}

/** Mean, and covariance `[headDim, headDim]`. */
function statistics(
  vectors: readonly Float64Array[],
  headDim: number,
): { mean: Float64Array; covariance: Float64Array } {
  const mean = new Float64Array(headDim);
  for (const vector of vectors)
    for (let i = 0; i < headDim; i++) mean[i] = (mean[i] ?? 0) + (vector[i] ?? 0) / vectors.length;
  const covariance = new Float64Array(headDim * headDim);
  const centred = new Float64Array(headDim);
  for (const vector of vectors) {
    for (let i = 0; i < headDim; i++) centred[i] = (vector[i] ?? 0) - (mean[i] ?? 0);
    for (let i = 0; i < headDim; i++) {
      const scaled = (centred[i] ?? 0) / vectors.length;
      for (let j = 0; j < headDim; j++)
        covariance[i * headDim + j] = (covariance[i * headDim + j] ?? 0) + scaled * (centred[j] ?? 0);
    }
  }
  return { mean, covariance };
}

/** softmax over the units of (mean · k / sqrt(d) + kᵀ Σ k / 2d), for one query head. */
function expectedAttention({ keys, headDim, length }: ScoredView, vectors: readonly Float64Array[]): Float64Array {
  const { mean, covariance } = statistics(vectors, headDim);
  const logits = new Float64Array(length);
  for (let unit = 0; unit < length; unit++) {
    const at = unit * headDim;
    let linear = 0;
    let quadratic = 0;
    for (let i = 0; i < headDim; i++) {
      const key = keys[at + i] ?? 0;
      let row = 0;
      for (let j = 0; j < headDim; j++) row += (covariance[i * headDim + j] ?? 0) * (keys[at + j] ?? 0);
      linear += (mean[i] ?? 0) * key;
      quadratic += row * key;
    }
    logits[unit] = linear / Math.sqrt(headDim) + quadratic / (2 * headDim);
  }
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function norm(vectors: Float32Array, offset: number, count: number): number {
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += (vectors[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/**
 * Expected Attention (arXiv 2510.00636; as in kvpress, its authors' library): a unit is worth the attention
 * that future queries are expected to give it, times the length of its value. Queries before RoPE are taken as normally
 * distributed with mean and covariance of the chunk's queries, and turned by the mean rotation of the next 512 slots:
 * score = |v| · softmax(μᵀk / sqrt(d) + kᵀΣk / 2d), averaged over the group. The first four units always stay. Every
 * chunk scores all units anew.
 */
export const expectedAttentionPolicy: Rival = {
  name: 'expected-attention',
  scoring: {
    observes: 'queries',
    score(view, observed) {
      const { length, headDim, values } = view;
      const attention = new Float64Array(length);
      for (let head = observed.firstHead; head < observed.firstHead + observed.group; head++) {
        const expected = expectedAttention(view, futureQueries(observed, head, headDim));
        for (let unit = 0; unit < length; unit++)
          attention[unit] = (attention[unit] ?? 0) + (expected[unit] ?? 0) / observed.group;
      }
      return Float32Array.from(attention, (mass, unit) => mass * norm(values, unit * headDim, headDim));
    },
  },
  rank: ({ scores }: CacheView): Float32Array =>
    Float32Array.from(scores, (score, slot) => (slot < attentionSinks ? Infinity : score)),
};
