import { evictionMargin, type RetainLimits, retainTopUnits } from '../../eviction/retain-top-units.js';
import type { EvictionPolicy } from '../../eviction/policy.js';
import type { Units } from '../../eviction/units.js';
import type { LayerDecision, TokenRange } from '../../engine/engine.js';
import type { RopeTables } from '../../model/rope-table.js';
import type { ModelShape } from '../../model/shape.js';
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
  /** Whether somebody wants the units that leave; otherwise they are gone, and nothing is copied. */
  readonly takesOut: boolean;
}

/** What an eviction did. */
export interface Evicted {
  /** With `detail`. */
  readonly decisions: LayerDecision[] | undefined;
  /** The units that left, per layer and KV head; none unless they were wanted. */
  readonly units: readonly Units[];
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

/** Which units of a KV head stay, and by what. */
interface HeadChoice {
  readonly ranks: Float32Array;
  readonly kept: Int32Array;
}

/** The decisions of one layer, before anything moves. */
function decisionOf(
  { cache, shape }: EvictionPass,
  layer: number,
  added: NewUnits,
  choices: readonly HeadChoice[],
  limits: RetainLimits,
): LayerDecision {
  const { length } = cache.layer(layer);
  return {
    lengthBeforeEviction: length,
    chunkScores: choices.map((_, kvHead) => chunkScores(added, kvHead, shape.kvHeads)),
    keptSlots: choices.map(({ kept }) => kept),
    keptTokens: choices.map(({ kept }, kvHead) => {
      const { tokenIndices } = cache.head(layer, kvHead);
      return kept.map((slot) => tokenIndices[slot] ?? 0);
    }),
    keptRanks: choices.map(({ ranks, kept }) => Float32Array.from(kept, (slot) => ranks[slot] ?? 0)),
    evictionMargin: choices.map(({ ranks, kept }) => evictionMargin(ranks, length, kept, limits)),
  };
}

/**
 * Every KV head keeps its highest ranked units, in place (Algorithm 1 of arXiv 2410.01805): as many as the plan's budgets
 * give its layer.
 */
export function evictUnits(pass: EvictionPass): Evicted {
  const { cache, shape, ropes, exempt, detail, takesOut } = pass;
  const { budgets } = cache;
  const nextSlot = exempt === undefined ? cache.nextSlot : Math.min(cache.nextSlot, budgets.longest);
  const decisions: LayerDecision[] = [];
  const units: Units[] = [];
  for (let layer = 0; layer < shape.layers.length; layer++) {
    const limits = exempt === undefined ? everything : { ...exempt, budget: budgets.ofLayer(layer) };
    const { length } = cache.layer(layer);
    const choices = Array.from({ length: shape.kvHeads }, (_, kvHead): HeadChoice => {
      const ranks = rankUnits(pass, layer, kvHead, pass.added, limits);
      return { ranks, kept: retainTopUnits(ranks, length, limits) };
    });
    const added = detail?.[layer];
    if (added !== undefined) decisions.push(decisionOf(pass, layer, added, choices, limits));
    if (takesOut) units.push(...choices.map(({ kept }, kvHead) => cache.unitsBeside(layer, kvHead, kept)));
    if (length > limits.budget || nextSlot < cache.nextSlot) {
      const kept = choices.map((choice) => choice.kept);
      cache.compact(layer, kept, nextSlot, ropes.of(layer));
    }
  }
  cache.settle(nextSlot);
  return { decisions: detail === undefined ? undefined : decisions, units };
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

/** Token indices of the units of a layer's KV heads. */
type LayerTokens = readonly Int32Array[];

/**
 * Units that each KV head of each layer gives up: as many as the one that holds most of what is forgotten, of the layer, or
 * of all layers where these are equally long.
 */
function droppedByLayer(
  layers: readonly LayerTokens[],
  isForgotten: (tokenIndex: number) => boolean,
  layersDiffer: boolean,
): readonly number[] {
  const forgotten = (tokens: Int32Array): number =>
    tokens.reduce((count, index) => count + Number(isForgotten(index)), 0);
  const own = layers.map((heads) => Math.max(...heads.map(forgotten)));
  return layersDiffer ? own : own.map(() => Math.max(...own));
}

/**
 * Drops the units of some tokens. Of the KV heads that are equally long each gives up as many units as the one that holds
 * most of them; the others give up their lowest ranked ones besides.
 * @returns the most units that a KV head gave up
 */
export function forgetTokens({ cache, shape, policy, ropes, pinned, ranges }: Forgetting): number {
  const isForgotten = rangeTest(ranges);
  const layers = shape.layers.map((_, layer) =>
    Array.from({ length: shape.kvHeads }, (__, kvHead) => cache.head(layer, kvHead).tokenIndices),
  );
  const dropped = droppedByLayer(layers, isForgotten, cache.isUneven);
  const mostDropped = Math.max(...dropped);
  if (mostDropped === 0) return 0;
  const left = dropped.map((count, layer) => cache.layer(layer).length - count);
  const nextSlot = Math.max(...left);
  const pinnedStay =
    pinned <= Math.min(...left) && !layers.flat().some((tokens) => tokens.subarray(0, pinned).some(isForgotten));
  for (const [layer, heads] of layers.entries()) {
    const limits = { budget: left[layer] ?? 0, pinned: pinnedStay ? pinned : 0, stabilizers: 0 };
    const kept = heads.map((tokens, kvHead) => {
      if (limits.budget === 0) return new Int32Array(0);
      const ranks = rankUnits({ cache, shape, policy }, layer, kvHead, 0, limits).map((rank, slot) =>
        isForgotten(tokens[slot] ?? 0) ? -Infinity : rank,
      );
      return retainTopUnits(ranks, tokens.length, limits);
    });
    cache.compact(layer, kept, nextSlot, ropes.of(layer));
  }
  cache.settle(nextSlot);
  return mostDropped;
}
