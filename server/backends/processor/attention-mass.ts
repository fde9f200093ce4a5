import type { ModelShape } from '../../model/shape.js';
import type { AttentionMass } from '../../engine/engine.js';
import type { RetainedCache } from './retained-cache.js';

/** Adds up which token indices queries attend to, over layers, heads and queries. */
export class AttentionObserver {
  private readonly massByToken = new Map<number, number>();
  private queries = 0;
  private weights = new Float64Array(0);

  constructor(
    private readonly shape: ModelShape,
    private readonly cache: RetainedCache,
  ) {}

  /**
   * Adds the attention of some tokens of the last pass.
   * @param queryOf rotated queries of a layer, `[tokens, heads * headDim]`
   * @param rows which tokens of the pass
   * @param tokens tokens of the pass, whose units are the newest in the cache
   * @param ignored newest units that do not count; the others share their mass; default: all that a token sees counts
   */
  observe(
    queryOf: (layer: number) => Float32Array,
    rows: { readonly begin: number; readonly end: number },
    tokens: number,
    ignored = 0,
  ): void {
    const { layers, heads, kvHeads, headDim } = this.shape;
    const group = heads / kvHeads;
    if (this.weights.length < this.cache.slots) this.weights = new Float64Array(this.cache.slots);
    for (let layer = 0; layer < layers.length; layer++) {
      const query = queryOf(layer);
      for (let head = 0; head < heads; head++) {
        const units = this.cache.head(layer, Math.floor(head / group));
        for (let row = rows.begin; row < rows.end; row++) {
          const offset = (row * heads + head) * headDim;
          const seen = units.length - Math.max(tokens - row - 1, ignored);
          this.addQuery(query.subarray(offset, offset + headDim), units.keys, units.tokenIndices, seen);
        }
      }
    }
    this.queries += rows.end - rows.begin;
  }

  /** softmax(q · K / sqrt(d)) over the first `seen` units, added to their token indices. */
  private addQuery(query: Float32Array, keys: Float32Array, tokenIndices: Int32Array, seen: number): void {
    const { headDim } = this.shape;
    const { weights } = this;
    const scale = 1 / Math.sqrt(headDim);
    let largest = -Infinity;
    for (let unit = 0; unit < seen; unit++) {
      const begin = unit * headDim;
      let dot = 0;
      for (let i = 0; i < headDim; i++) dot += (query[i] ?? 0) * (keys[begin + i] ?? 0);
      const logit = dot * scale;
      weights[unit] = logit;
      if (logit > largest) largest = logit;
    }
    let sum = 0;
    for (let unit = 0; unit < seen; unit++) {
      const weight = Math.exp((weights[unit] ?? 0) - largest);
      weights[unit] = weight;
      sum += weight;
    }
    for (let unit = 0; unit < seen; unit++) {
      const token = tokenIndices[unit] ?? 0;
      this.massByToken.set(token, (this.massByToken.get(token) ?? 0) + (weights[unit] ?? 0) / sum);
    }
  }

  /** The mass so far, by ascending token index; it sums to 1. */
  mass(): AttentionMass {
    const all = this.shape.layers.length * this.shape.heads * this.queries;
    const tokenIndices = Int32Array.from(this.massByToken.keys()).sort();
    const mass = Float32Array.from(tokenIndices, (token) => (this.massByToken.get(token) ?? 0) / all);
    return { tokenIndices, mass };
  }
}
