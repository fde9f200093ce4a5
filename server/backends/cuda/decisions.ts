import type { ModelShape } from '../../model/shape.js';
import type { CachePlan, Eviction, LayerDecision } from '../../engine/engine.js';
import { evictionMargin, type RetainLimits } from '../../eviction/retain-top-units.js';

/** What an eviction on a device went by: arrays over the KV heads of all layers. */
export interface DecisionArrays {
  /** Units per KV head before the eviction. */
  readonly length: number;
  /** `[layers * kvHeads, length]` */
  readonly ranks: Float32Array;
  /** `[layers * kvHeads, added]`; empty without retaining heads. */
  readonly scores: Float32Array;
  /** `[layers * kvHeads, length]` */
  readonly tokenIndices: Int32Array;
  /** Ascending slots `[layers * kvHeads, kept]`. */
  readonly kept: Int32Array;
}

/** What limits the eviction after a pass. */
export function limitsOf({ budget, pinned, stabilizers }: CachePlan, eviction: Eviction): RetainLimits {
  return {
    budget: eviction === 'none' ? Infinity : budget,
    pinned,
    stabilizers: eviction === 'between-chunks' ? stabilizers : 0,
  };
}

/**
 * Room for what an eviction goes by.
 * @param added units per KV head before the pass, and how many it adds
 */
export function decisionArrays(
  { layers, kvHeads }: ModelShape,
  { budget }: RetainLimits,
  added: { readonly before: number; readonly count: number; readonly withScores: boolean },
): DecisionArrays {
  const heads = layers.length * kvHeads;
  const length = added.before + added.count;
  return {
    length,
    ranks: new Float32Array(heads * length),
    scores: new Float32Array(added.withScores ? heads * added.count : 0),
    tokenIndices: new Int32Array(heads * length),
    kept: new Int32Array(heads * Math.min(length, budget)),
  };
}

/** The decisions of an eviction, layer by layer, as the processor's engine reports them. */
export function layerDecisions(
  { layers, kvHeads }: ModelShape,
  limits: RetainLimits,
  { length, ranks: allRanks, scores, tokenIndices, kept: allKept }: DecisionArrays,
): LayerDecision[] {
  const rows = layers.length * kvHeads;
  const scoreCount = scores.length / rows;
  const keptCount = allKept.length / rows;
  const headDecision = (row: number) => {
    const ranks = allRanks.subarray(row * length, (row + 1) * length);
    const tokens = tokenIndices.subarray(row * length, (row + 1) * length);
    const kept = allKept.slice(row * keptCount, (row + 1) * keptCount);
    return {
      chunkScores: scores.slice(row * scoreCount, (row + 1) * scoreCount),
      keptSlots: kept,
      keptTokens: kept.map((slot) => tokens[slot] ?? 0),
      keptRanks: Float32Array.from(kept, (slot) => ranks[slot] ?? 0),
      evictionMargin: evictionMargin(ranks, length, kept, limits),
    };
  };
  return layers.map((_, layer) => {
    const heads = Array.from({ length: kvHeads }, (__, head) => headDecision(layer * kvHeads + head));
    return {
      lengthBeforeEviction: length,
      chunkScores: heads.map((head) => head.chunkScores),
      keptSlots: heads.map((head) => head.keptSlots),
      keptTokens: heads.map((head) => head.keptTokens),
      keptRanks: heads.map((head) => head.keptRanks),
      evictionMargin: heads.map((head) => head.evictionMargin),
    };
  });
}
