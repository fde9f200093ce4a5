/** How many units of a KV head may stay. */
export interface ViewLimits {
  /** Units that stay. */
  readonly budget: number;
  /** First units, exempt. */
  readonly pinned: number;
  /** Newest units, exempt. */
  readonly stabilizers: number;
}

/** What a policy may look at when one KV head of one layer must give up cache units: the kept units, then the new ones. */
export interface CacheView {
  readonly layer: number;
  readonly kvHead: number;
  /** Units in the view. */
  readonly length: number;
  /** How many of them are new, at the end of the view. */
  readonly added: number;
  readonly headDim: number;
  /** `[length, headDim]` keys, rotated to their slots. */
  readonly keys: Float32Array;
  /** `[length, headDim]` */
  readonly values: Float32Array;
  /**
   * What the units were scored, `[length]`: by the retaining heads, or by the policy's own {@link UnitScoring}; empty
   * when there is neither.
   */
  readonly scores: Float32Array;
  /** Absolute token index of every unit, ascending. */
  readonly tokenIndices: Int32Array;
  readonly limits: ViewLimits;
}

/** The units of one KV head that queries of a pass could attend to. */
export type ScoredView = Omit<CacheView, 'limits'>;

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

/** Rotary angles of the slots. */
export interface Rotation {
  /** Pairs of dimensions that are turned: dimension i with i + pairs. */
  readonly pairs: number;
  readonly slots: number;
  /** `[slots, pairs]`, pure rotations. */
  readonly turnCos: Float32Array;
  readonly turnSin: Float32Array;
}

/**
 * How units are scored by what a pass showed. Scores stay with their units, as retaining heads' scores do, also in a
 * snapshot. `score` returns one finite number per unit of the view; `view.scores` holds those of before, 0 for new units.
 * It must depend on the view and the pass alone.
 */
export type UnitScoring =
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

/** Decides which cache units of a KV head stay when its budget is exceeded. */
export interface EvictionPolicy {
  readonly name: PolicyName;
  /** True when the policy reads the retaining heads' scores. */
  readonly needsRetainingHeads: boolean;
  /** Undefined for policies that read nothing of a pass but its units: they cost nothing while it runs. */
  readonly scoring?: UnitScoring;
  /**
   * One number per unit of the view; the units with the highest numbers stay, of equals the newer one.
   * Stabilizers and pinned units are exempt and handled by the caller. Finite values or infinities, never NaN. KV heads
   * that share a budget are compared by these numbers.
   */
  rank(view: CacheView): Float32Array;
}

export type PolicyName =
  | 'locret'
  | 'key-difference'
  | 'sink-recent'
  | 'random'
  | 'h2o'
  | 'snapkv'
  | 'snapkv-patched'
  | 'token-entropy'
  | 'expected-attention'
  | 'nacl'
  | 'oracle'
  | 'attention-oracle';
