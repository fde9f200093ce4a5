import type { EvictionPolicy } from '../../eviction/policy.js';
import type { ModelShape } from '../../model/shape.js';
import type { EqualLengths } from './graph/attention.js';
import type { RopeTables } from '../../model/rope-table.js';
import type { LayerDecision, TokenRange } from '../../engine/engine.js';
import { evictionMargin, type RetainLimits, retainTopUnits } from '../../eviction/retain-top-units.js';
import type { NewUnits, RetainedCache } from './retained-cache.js';

/** What one eviction over the whole cache goes by. */
export interface EvictionPass {
  readonly cache: RetainedCache;
  readonly shape: ModelShape;
  readonly policy: EvictionPolicy;
  readonly ropes: RopeTables;
  /** Units that the pass before added at the end. */
  readonly added: number;
  /** Units of every head that are exempt; undefined when nothing is evicted. */
  readonly exempt: Omit<RetainLimits, 'budget'> | undefined;
  /** The units that were added, when each decision is to be reported. */
  readonly detail: readonly NewUnits[] | undefined;
}

const everything: RetainLimits = { budget: Infinity, pinned: 0, stabilizers: 0 };

/** The ranks of one KV head's units, `[length]`. */
function rankUnits(
  { cache, shape, policy }: Pick<EvictionPass, 'cache' | 'shape' | 'policy'>,
  layer: number,
  kvHead: number,
  added: number,
  limits: RetainLimits,
): Float32Array {
  const { headDim } = shape;
  return policy.rank({ layer, kvHead, added, headDim, limits, ...cache.head(layer, kvHead) });
}

/** One KV head's column of the new units' scores. */
function chunkScores({ scores }: NewUnits, kvHead: number, kvHeads: number): Float32Array {
  if (scores === undefined) return new Float32Array(0);
  return Float32Array.from({ length: scores.length / kvHeads }, (_, token) => scores[token * kvHeads + kvHead] ?? 0);
}

/**
 * Every KV head keeps its highest ranked units, in place (Algorithm 1 of arXiv 2410.01805): as many as the plan's budgets
 * give it. Returns the decisions when `detail` is given.
 */
export function evictUnits(pass: EvictionPass): LayerDecision[] | undefined {
  const { cache, shape, ropes, exempt, detail } = pass;
  const { budgets } = cache;
  const nextSlot = exempt === undefined ? cache.nextSlot : Math.min(cache.nextSlot, budgets.longest);
  const kvHeads = Array.from({ length: shape.kvHeads }, (_, kvHead) => kvHead);
  const layers = shape.layers.map((_, layer) => {
    const added = detail?.[layer];
    const average = exempt === undefined ? everything : { ...exempt, budget: budgets.ofLayer(layer) };
    const ranksOfHeads = kvHeads.map((kvHead) => rankUnits(pass, layer, kvHead, pass.added, average));
    const kept = exempt === undefined ? [] : budgets.ofHeads(layer, ranksOfHeads, exempt);
    const lengthBeforeEviction = Math.max(...kvHeads.map((kvHead) => cache.head(layer, kvHead).length));
    const heads = kvHeads.flatMap((kvHead) => {
      const { tokenIndices, length } = cache.head(layer, kvHead);
      const ranks = ranksOfHeads[kvHead] ?? new Float32Array(0);
      const limits = { ...average, budget: kept[kvHead] ?? Infinity };
      const keptSlots = retainTopUnits(ranks, length, limits);
      const decision =
        added === undefined
          ? []
          : {
              chunkScores: chunkScores(added, kvHead, shape.kvHeads),
              keptSlots,
              keptTokens: keptSlots.map((slot) => tokenIndices[slot] ?? 0),
              keptRanks: Float32Array.from(keptSlots, (slot) => ranks[slot] ?? 0),
              evictionMargin: evictionMargin(ranks, length, keptSlots, limits),
            };
      if (keptSlots.length < length || nextSlot < cache.nextSlot)
        cache.compact(layer, kvHead, keptSlots, nextSlot, ropes.of(layer));
      return decision;
    });
    return {
      lengthBeforeEviction,
      chunkScores: heads.map((head) => head.chunkScores),
      keptSlots: heads.map((head) => head.keptSlots),
      keptTokens: heads.map((head) => head.keptTokens),
      keptRanks: heads.map((head) => head.keptRanks),
      evictionMargin: heads.map((head) => head.evictionMargin),
    };
  });
  if (exempt !== undefined) cache.settle(nextSlot);
  return detail === undefined ? undefined : layers;
}

/** Which units are to leave, whatever their rank. */
export interface Forgetting extends Pick<EvictionPass, 'cache' | 'shape' | 'policy' | 'ropes'> {
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

/** Units of these heads that are forgotten: of each head, the most of those that must stay equally long. */
function droppedByHead(
  heads: readonly { readonly layer: number; readonly tokenIndices: Int32Array }[],
  isForgotten: (tokenIndex: number) => boolean,
  equal: EqualLengths,
): readonly number[] {
  const own = heads.map(({ tokenIndices }) =>
    tokenIndices.reduce((count, index) => count + Number(isForgotten(index)), 0),
  );
  if (equal === 'head') return own;
  const most = new Map<number, number>();
  const groupOf = ({ layer }: { readonly layer: number }): number => (equal === 'layer' ? layer : 0);
  for (const [index, head] of heads.entries())
    most.set(groupOf(head), Math.max(most.get(groupOf(head)) ?? 0, own[index] ?? 0));
  return heads.map((head) => most.get(groupOf(head)) ?? 0);
}

/**
 * Drops the units of some tokens. Of the KV heads that are equally long each gives up as many units as the one that holds
 * most of them; the others give up their lowest ranked ones besides.
 * @returns the most units that a KV head gave up
 */
export function forgetTokens({ cache, shape, policy, ropes, pinned, ranges }: Forgetting): number {
  const isForgotten = rangeTest(ranges);
  const heads = Array.from({ length: shape.layers.length * shape.kvHeads }, (_, index) => {
    const layer = Math.floor(index / shape.kvHeads);
    const kvHead = index % shape.kvHeads;
    return { layer, kvHead, ...cache.head(layer, kvHead) };
  });
  const dropped = droppedByHead(heads, isForgotten, cache.budgets.equalLengths);
  const mostDropped = Math.max(...dropped);
  if (mostDropped === 0) return 0;
  const left = heads.map(({ length }, index) => length - (dropped[index] ?? 0));
  const nextSlot = Math.max(...left);
  const pinnedStay =
    pinned <= Math.min(...left) &&
    !heads.some(({ tokenIndices }) => tokenIndices.subarray(0, pinned).some(isForgotten));
  for (const [index, { layer, kvHead, length, tokenIndices }] of heads.entries()) {
    const budget = left[index] ?? 0;
    const limits = { budget, pinned: pinnedStay ? pinned : 0, stabilizers: 0 };
    const kept = (): Int32Array => {
      const ranks = rankUnits({ cache, shape, policy }, layer, kvHead, 0, limits).map((rank, slot) =>
        isForgotten(tokenIndices[slot] ?? 0) ? -Infinity : rank,
      );
      return retainTopUnits(ranks, length, limits);
    };
    cache.compact(layer, kvHead, budget === 0 ? new Int32Array(0) : kept(), nextSlot, ropes.of(layer));
  }
  cache.settle(nextSlot);
  return mostDropped;
}
