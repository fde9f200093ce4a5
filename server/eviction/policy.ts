/** A policy by its name: one of the product's, or one that the program registered. */
export type PolicyName = 'locret' | 'key-difference' | 'sink-recent' | (string & {});

/** How many units of a KV head may stay. */
export interface ViewLimits {
  /** Units that stay. */
  readonly budget: number;
  /** First units, exempt. */
  readonly pinned: number;
  /** Newest units, exempt. */
  readonly stabilizers: number;
}

/** The units of one KV head: a view of the cache, not a copy. */
export interface HeadUnits {
  readonly length: number;
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
}

/** What a policy may look at when one KV head of one layer must give up cache units: the kept units, then the new ones. */
export interface CacheView extends HeadUnits {
  readonly layer: number;
  readonly kvHead: number;
  /** How many of them are new, at the end of the view. */
  readonly added: number;
  readonly headDim: number;
  readonly limits: ViewLimits;
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

/** Rotated queries of a pass, per layer `[tokens, heads * headDim]`. */
export type PassQueries = readonly Float32Array[];

/** A pass whose units are to be scored. They are the newest in the cache. */
export interface ScoredPass {
  readonly shape: {
    readonly layers: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly vocabulary: number;
  };
  readonly tokens: Int32Array;
  /** When the scoring wants them; otherwise none. */
  readonly queries: PassQueries;
  /** `[tokens, vocabulary]`, when the scoring wants them. */
  readonly logits: Float32Array;
  /** The slot behind the newest unit. */
  readonly nextSlot: number;
  /** How the keys and queries of a layer are rotated. */
  readonly rotation: (layer: number) => Rotation;
  /** False: nothing will be evicted, and only the new units may be scored, so that taking them back leaves no trace. */
  readonly evicts: boolean;
  /** The units of a KV head; their scores are to be written. */
  units(layer: number, kvHead: number): HeadUnits;
  /** Reads other tokens behind the cache, shows their queries while their units are there, and takes them back. */
  readBehind(tokens: Int32Array, use: (queries: PassQueries) => void): Promise<void>;
}

/**
 * How units are scored by what a pass showed, before anything is evicted. Scores stay with their units, as retaining
 * heads' scores do, also in a snapshot. They must be finite, and depend on the cache and the pass alone.
 */
export interface UnitScoring {
  /** What of a pass it looks at. */
  readonly wants: { readonly queries: boolean; readonly logits: boolean };
  score(pass: ScoredPass): Promise<void>;
}

/** Decides which cache units of a KV head stay when its budget is exceeded. */
export interface EvictionPolicy {
  readonly name: PolicyName;
  /** True when the policy reads the retaining heads' scores. */
  readonly needsRetainingHeads: boolean;
  /** Undefined for policies that read nothing of a pass but its units: they cost nothing while it runs. */
  readonly scoring?: UnitScoring;
  /**
   * One number per unit of the view; the units with the highest numbers stay, of equals the newer one.
   * Stabilizers and pinned units are exempt and handled by the caller. Finite values or infinities, never NaN.
   */
  rank(view: CacheView): Float32Array;
}
