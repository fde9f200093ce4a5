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
  /** Causal importance scores of the retaining heads, `[length]`; empty when the model has no heads. */
  readonly scores: Float32Array;
  /** Absolute token index of every unit, ascending. */
  readonly tokenIndices: Int32Array;
}

/** Decides which cache units of a KV head stay when its budget is exceeded. */
export interface EvictionPolicy {
  readonly name: PolicyName;
  /** True when the policy reads the retaining heads' scores. */
  readonly needsRetainingHeads: boolean;
  /**
   * One number per unit of the view; the units with the highest numbers stay, of equals the newer one.
   * Stabilizers and pinned units are exempt and handled by the caller. Finite values or infinities, never NaN.
   */
  rank(view: CacheView): Float32Array;
}

export type PolicyName = 'locret' | 'sink-recent' | 'key-difference';
