import type { AttentionMass, EngineStats, Eviction, LayerCache, LayerDecision, Mark, TokenRange } from './engine.js';

/** One run of the model over new tokens behind the cache, and the eviction after it. */
export interface DecoderPass {
  readonly tokens: Int32Array;
  /** Token index of the first one; not before the decoder's next one. */
  readonly firstTokenIndex: number;
  /** Which logits to return; with `none` the pass may leave nothing to continue from. */
  readonly logits: 'none' | 'last' | 'all';
  readonly eviction: Eviction;
  /** From which token of the pass on attention is observed; undefined: none. */
  readonly observeFrom: number | undefined;
  /** Whether the decisions of the eviction are wanted. */
  readonly detail: boolean;
  /** Of each token, whether its scores are raised by `structureBonus`; undefined: of none. */
  readonly structure: Uint8Array | undefined;
}

export interface DecoderPassResult {
  /** float32 `[rows, vocabulary]`, the caller's own: as many rows as were wanted. */
  readonly logits: Float32Array;
  readonly milliseconds: { readonly model: number; readonly eviction: number };
  /** With `detail`. */
  readonly layers: readonly LayerDecision[] | undefined;
}

/**
 * A model with its retained cache, one pass at a time: what an engine drives, whatever it runs on. Calls never overlap.
 * An error leaves the cache at the pass before, but for `engine-failed`.
 */
export interface Decoder {
  /** Units per KV head. */
  readonly length: number;
  /** Units per KV head that fit; Infinity when the cache grows. */
  readonly room: number;
  readonly nextTokenIndex: number;
  /** Logits of the last token read; undefined when there is nothing to continue. Valid until the next pass. */
  lastLogits(): Float32Array | undefined;
  /**
   * The token with the highest of the last logits, the lowest of equals, where that is known without them.
   * @throws LocretError model-corrupt when that logit is not finite
   */
  likeliest(): number | undefined;
  /** The units of all tokens have {@link room}. */
  pass(pass: DecoderPass): Promise<DecoderPassResult>;
  /** Appends one token, as a pass without eviction whose logits are kept inside. */
  step(token: number, observe: boolean): Promise<void>;
  /**
   * Observed attention is added up from here on.
   * @param reach only units below this slot count, and share each query's mass; default: all that a query sees
   */
  startObserving(reach?: number): void;
  /** The attention since {@link startObserving}; it sums to 1. */
  observed(): Promise<AttentionMass>;
  mark(): Mark;
  /** @throws LocretError invalid-argument when units left the cache since the mark */
  rewind(mark: Mark): void;
  /** @returns units that each KV head gave up */
  forget(ranges: readonly TokenRange[]): number;
  clear(): void;
  exportLayer(layer: number): LayerCache;
  /**
   * Puts a layer into an emptied cache; {@link resume} makes all of them count.
   * @throws LocretError snapshot-foreign when it does not fit the model and the plan
   */
  importLayer(layer: number, units: LayerCache): void;
  /** @param nextSlot the slot behind the units of all layers */
  resume(nextSlot: number, nextTokenIndex: number): void;
  /** The token indices of all units, in one or several arrays. */
  tokenIndices(): readonly Int32Array[];
  /** All but the time, which the engine adds up. */
  stats(): Omit<EngineStats, 'seconds'>;
  dispose(): Promise<void>;
}
