import type { EvictionPolicy } from '../memory/policies/policy.js';
import type { ModelShape } from '../model/shape.js';
import type { RopeTable } from '../onnx/rope-table.js';
import type { LayerDecision, TokenRange } from './engine.js';
import { evictionMargin, type RetainLimits, retainTopUnits } from './eviction.js';
import type { NewUnits, RetainedCache } from './retained-cache.js';

/** What one eviction over the whole cache goes by. */
export interface EvictionPass {
  readonly cache: RetainedCache;
  readonly shape: ModelShape;
  readonly policy: EvictionPolicy;
  readonly rope: RopeTable;
  /** Units that the pass before added at the end. */
  readonly added: number;
  readonly limits: RetainLimits;
  /** The units that were added, when each decision is to be reported. */
  readonly detail: readonly NewUnits[] | undefined;
}

/** The ranks of one KV head's units, `[length]`. */
function rankUnits(
  { cache, shape, policy, limits }: Pick<EvictionPass, 'cache' | 'shape' | 'policy' | 'limits'>,
  layer: number,
  kvHead: number,
  added: number,
): Float32Array {
  const { headDim } = shape;
  return policy.rank({ layer, kvHead, length: cache.length, added, headDim, limits, ...cache.head(layer, kvHead) });
}

/** One KV head's column of the new units' scores. */
function chunkScores({ scores }: NewUnits, kvHead: number, kvHeads: number): Float32Array {
  if (scores === undefined) return new Float32Array(0);
  return Float32Array.from({ length: scores.length / kvHeads }, (_, token) => scores[token * kvHeads + kvHead] ?? 0);
}

/**
 * Every KV head keeps its highest ranked units, in place (Algorithm 1 of arXiv 2410.01805). Returns the decisions when
 * `detail` is given. With an infinite budget nothing moves.
 */
export function evictUnits(pass: EvictionPass): LayerDecision[] | undefined {
  const { cache, shape, rope, limits, detail } = pass;
  const { length } = cache;
  const layers = Array.from({ length: shape.layers }, (_, layer) => {
    const added = detail?.[layer];
    const heads = Array.from({ length: shape.kvHeads }, (_, kvHead) => {
      const { tokenIndices } = cache.head(layer, kvHead);
      const ranks = rankUnits(pass, layer, kvHead, pass.added);
      const kept = retainTopUnits(ranks, length, limits);
      const decision =
        added === undefined
          ? undefined
          : {
              chunkScores: chunkScores(added, kvHead, shape.kvHeads),
              keptSlots: kept,
              keptTokens: kept.map((slot) => tokenIndices[slot] ?? 0),
              keptRanks: Float32Array.from(kept, (slot) => ranks[slot] ?? 0),
              evictionMargin: evictionMargin(ranks, length, kept, limits),
            };
      if (kept.length < length) cache.compact(layer, kvHead, kept, rope);
      return decision ?? [];
    }).flat();
    return {
      lengthBeforeEviction: length,
      chunkScores: heads.map((head) => head.chunkScores),
      keptSlots: heads.map((head) => head.keptSlots),
      keptTokens: heads.map((head) => head.keptTokens),
      keptRanks: heads.map((head) => head.keptRanks),
      evictionMargin: heads.map((head) => head.evictionMargin),
    };
  });
  if (limits.budget < length) cache.truncate(limits.budget);
  return detail === undefined ? undefined : layers;
}

/** Which units are to leave, whatever their rank. */
export interface Forgetting extends Pick<EvictionPass, 'cache' | 'shape' | 'policy' | 'rope'> {
  /** First units, which stay unless their own tokens are forgotten. */
  readonly pinned: number;
  readonly ranges: readonly TokenRange[];
}

/** Tells whether a token index lies in one of the ranges. */
function rangeTest(ranges: readonly TokenRange[]): (tokenIndex: number) => boolean {
  const sorted = [...ranges].sort((a, b) => a.begin - b.begin);
  const begins = Float64Array.from(sorted, ({ begin }) => begin);
  // Ranges may overlap: how far the ranges up to each one reach.
  let reach = -Infinity;
  const ends = Float64Array.from(sorted, ({ end }) => (reach = Math.max(reach, end)));
  return (tokenIndex) => {
    let low = 0;
    let high = begins.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((begins[middle] ?? Infinity) <= tokenIndex) low = middle + 1;
      else high = middle;
    }
    return low > 0 && tokenIndex < (ends[low - 1] ?? -Infinity);
  };
}

/**
 * Drops the units of some tokens. Each KV head gives up as many units as the one that holds most of them; the others
 * give up their lowest ranked ones besides.
 * @returns units that each KV head gave up
 */
export function forgetTokens({ cache, shape, policy, rope, pinned, ranges }: Forgetting): number {
  const { length } = cache;
  const isForgotten = rangeTest(ranges);
  const heads = Array.from({ length: shape.layers * shape.kvHeads }, (_, index) => ({
    layer: Math.floor(index / shape.kvHeads),
    kvHead: index % shape.kvHeads,
  }));
  const indicesOf = ({ layer, kvHead }: { layer: number; kvHead: number }): Int32Array =>
    cache.head(layer, kvHead).tokenIndices;
  const dropped = heads.reduce(
    (most, head) =>
      Math.max(
        most,
        indicesOf(head).reduce((count, index) => count + Number(isForgotten(index)), 0),
      ),
    0,
  );
  if (dropped === 0) return 0;
  const budget = length - dropped;
  const pinnedStay = pinned <= budget && !heads.some((head) => indicesOf(head).subarray(0, pinned).some(isForgotten));
  const limits = { budget, pinned: pinnedStay ? pinned : 0, stabilizers: 0 };
  for (const head of budget === 0 ? [] : heads) {
    const tokenIndices = indicesOf(head);
    const ranks = rankUnits({ cache, shape, policy, limits }, head.layer, head.kvHead, 0).map((rank, slot) =>
      isForgotten(tokenIndices[slot] ?? 0) ? -Infinity : rank,
    );
    cache.compact(head.layer, head.kvHead, retainTopUnits(ranks, length, limits), rope);
  }
  cache.truncate(budget);
  return dropped;
}
