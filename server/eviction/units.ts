/** Cache units of one KV head outside of the cache, as a value: what an eviction takes out, and what can be put back. */
export interface Units {
  readonly layer: number;
  /** The KV head within the layer. */
  readonly head: number;
  /** Token indices, ascending. */
  readonly positions: Int32Array;
  /** The slots that the keys are rotated to. */
  readonly slots: Int32Array;
  /** `[units, headDim]` */
  readonly keys: Float32Array;
  /** `[units, headDim]` */
  readonly values: Float32Array;
  /** `[units]`; empty when units have none. */
  readonly scores: Float32Array;
}
