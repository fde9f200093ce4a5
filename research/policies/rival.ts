import type { CacheView, HeadUnits, Rotation } from '../../server/eviction/policy.js';

/** The units of one KV head that queries of a pass could attend to. */
export interface ScoredView extends HeadUnits {
  readonly layer: number;
  readonly kvHead: number;
  /** How many of the units are new, at the end of the view. */
  readonly added: number;
  readonly headDim: number;
}

/** Queries that read one KV head. */
export interface ObservedQueries {
  /** `[rows, heads * headDim]`, rotated to their slots: all heads of the layer. */
  readonly queries: Float32Array;
  readonly rows: number;
  readonly heads: number;
  /** The query heads that read this KV head: `firstHead` to `firstHead + group - 1`. */
  readonly firstHead: number;
  readonly group: number;
  /** Place of the first row's own unit in the view; row r sees the units up to `firstUnit + r`. */
  readonly firstUnit: number;
  /** Slot of the first row; a unit's slot is as far before it as the unit is. */
  readonly firstSlot: number;
  readonly rotation: Rotation;
}

/** Tokens that were read behind a chunk only to be observed. */
export interface ObservedPatch {
  /** 0 for the first patch of a chunk. */
  readonly index: number;
  /** Its units at the end of the view. */
  readonly units: number;
}

/**
 * How a rival scores units, KV head by KV head. `score` returns one finite number per unit of the view; `view.scores` holds
 * those of before, 0 for new units.
 */
export type HeadScoring =
  | {
      /** The queries of the tokens that were read. */
      readonly observes: 'queries';
      score(view: ScoredView, observed: ObservedQueries): Float32Array;
    }
  | {
      /**
       * The queries of other tokens, which are read behind each chunk and taken back. The view holds their units too,
       * behind the `added` ones of the chunk; only the scores of the others count. Called once per patch.
       */
      readonly observes: 'patches';
      score(view: ScoredView, observed: ObservedQueries, patch: ObservedPatch): Float32Array;
    }
  | {
      /** -log P of each token that was read, given those before it, `[added]`; of a pass's first token it is not known: NaN. */
      readonly observes: 'surprisal';
      score(view: ScoredView, surprisal: Float32Array): Float32Array;
    };

/** A policy that Locret is compared with. */
export interface Rival {
  readonly name: string;
  readonly scoring?: HeadScoring;
  /** As `EvictionPolicy.rank` of the product. */
  readonly rank: (view: CacheView) => Float32Array;
}

/** A rival whose scores need the questions, or their answers, before anything is read. */
export type ForeseeingRival = Rival & { readonly scoring: Extract<HeadScoring, { observes: 'patches' }> };
