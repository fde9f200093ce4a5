import { LocretError } from '../errors.js';
import type { ModelShape } from '../model/shape.js';
import type { RopeTable } from '../onnx/rope-table.js';
import type { LayerCache } from './engine.js';

/** The arrays of one layer. Per KV head regions of `capacity` units follow each other. */
interface LayerArrays {
  /** `[kvHeads, capacity, headDim]`, rotated to slots. */
  keys: Float32Array;
  values: Float32Array;
  /** `[kvHeads, capacity]`; empty when units have none. */
  scores: Float32Array;
  tokenIndices: Int32Array;
}

/** What a pass adds to one layer: rows of the new tokens. */
export interface NewUnits {
  /** `[tokens, kvHeads * headDim]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** `[tokens, kvHeads]`; absent without retaining heads: units that have scores then begin with 0. */
  readonly scores: Float32Array | undefined;
}

/** A view of one KV head's units, not a copy. */
export interface HeadUnits {
  /** `[length, headDim]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** `[length]`; empty when units have none. */
  readonly scores: Float32Array;
  readonly tokenIndices: Int32Array;
}

/**
 * The cache units of every layer and KV head in preallocated arrays, in slots 0..length-1. All heads are equally long.
 * Units are appended, compacted in place (a key that moves is turned by the slot difference) and cut off at the end.
 */
export class RetainedCache {
  private readonly layers: LayerArrays[];
  private units = 0;

  constructor(
    private readonly shape: ModelShape,
    private readonly withScores: boolean,
    private unitCapacity: number,
  ) {
    this.layers = Array.from({ length: shape.layers }, () => this.allocate(unitCapacity));
  }

  private allocate(capacity: number): LayerArrays {
    const { kvHeads, headDim } = this.shape;
    return {
      keys: new Float32Array(kvHeads * capacity * headDim),
      values: new Float32Array(kvHeads * capacity * headDim),
      scores: new Float32Array(this.withScores ? kvHeads * capacity : 0),
      tokenIndices: new Int32Array(kvHeads * capacity),
    };
  }

  get length(): number {
    return this.units;
  }

  get capacity(): number {
    return this.unitCapacity;
  }

  /** Bytes as allocated. */
  get bytes(): number {
    return this.layers.reduce(
      (sum, { keys, values, scores, tokenIndices }) =>
        sum + keys.byteLength + values.byteLength + scores.byteLength + tokenIndices.byteLength,
      0,
    );
  }

  private layer(layer: number): LayerArrays {
    const arrays = this.layers[layer];
    if (arrays === undefined) throw new RangeError(`layer ${layer} of ${this.layers.length}`);
    return arrays;
  }

  /** All keys and values of a layer, for the model: `[kvHeads, capacity, headDim]`. */
  tensors(layer: number): { readonly keys: Float32Array; readonly values: Float32Array } {
    return this.layer(layer);
  }

  /** The units of one KV head. */
  head(layer: number, kvHead: number): HeadUnits {
    const { headDim } = this.shape;
    const { keys, values, scores, tokenIndices } = this.layer(layer);
    const begin = kvHead * this.unitCapacity;
    const end = begin + this.units;
    return {
      keys: keys.subarray(begin * headDim, end * headDim),
      values: values.subarray(begin * headDim, end * headDim),
      scores: this.withScores ? scores.subarray(begin, end) : scores,
      tokenIndices: tokenIndices.subarray(begin, end),
    };
  }

  /** Moves everything into larger arrays. */
  grow(capacity: number): void {
    const { kvHeads, headDim } = this.shape;
    for (const [layer, old] of this.layers.entries()) {
      const next = this.allocate(capacity);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const { keys, values, scores, tokenIndices } = this.head(layer, kvHead);
        next.keys.set(keys, kvHead * capacity * headDim);
        next.values.set(values, kvHead * capacity * headDim);
        if (this.withScores) next.scores.set(scores, kvHead * capacity);
        next.tokenIndices.set(tokenIndices, kvHead * capacity);
      }
      Object.assign(old, next);
    }
    this.unitCapacity = capacity;
  }

  /** Writes one layer's new units behind the others; {@link extendBy} makes them count. */
  append(layer: number, added: NewUnits, tokens: number, firstTokenIndex: number): void {
    const { kvHeads, headDim } = this.shape;
    const arrays = this.layer(layer);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const slot = kvHead * this.unitCapacity + this.units;
      for (let token = 0; token < tokens; token++) {
        const from = (token * kvHeads + kvHead) * headDim;
        const to = (slot + token) * headDim;
        arrays.keys.set(added.keys.subarray(from, from + headDim), to);
        arrays.values.set(added.values.subarray(from, from + headDim), to);
        arrays.tokenIndices[slot + token] = firstTokenIndex + token;
      }
      if (added.scores === undefined) {
        arrays.scores.fill(0, slot, slot + (this.withScores ? tokens : 0));
        continue;
      }
      for (let token = 0; token < tokens; token++)
        arrays.scores[slot + token] = added.scores[token * kvHeads + kvHead] ?? 0;
    }
  }

  /** Counts the units that were appended to every layer. */
  extendBy(tokens: number): void {
    this.units += tokens;
  }

  /** Forgets the units from `length` on. */
  truncate(length: number): void {
    this.units = Math.min(this.units, length);
  }

  /**
   * Moves the kept units of one KV head to slots 0..kept.length-1. {@link truncate} follows once all heads are done.
   * @param kept ascending slots
   */
  compact(layer: number, kvHead: number, kept: Int32Array, rope: RopeTable): void {
    const { headDim } = this.shape;
    const { keys, values, scores, tokenIndices } = this.head(layer, kvHead);
    let first = 0;
    while (first < kept.length && kept[first] === first) first++;
    for (let to = first; to < kept.length;) {
      const from = kept[to] ?? 0;
      let run = 1;
      while (to + run < kept.length && kept[to + run] === from + run) run++;
      values.copyWithin(to * headDim, from * headDim, (from + run) * headDim);
      if (this.withScores) scores.copyWithin(to, from, from + run);
      tokenIndices.copyWithin(to, from, from + run);
      for (let unit = 0; unit < run; unit++) this.moveKey(keys, from + unit, to + unit, rope);
      to += run;
    }
  }

  /**
   * Copies a key to a lower slot and turns it by the difference of the two slots' angles. Both angles come from the
   * table: their float32 rounding cancels, as if the key had been rotated to the new slot in the first place.
   */
  private moveKey(keys: Float32Array, from: number, to: number, rope: RopeTable): void {
    const { headDim } = this.shape;
    const { pairs, turnCos, turnSin } = rope;
    const source = from * headDim;
    const target = to * headDim;
    const old = from * pairs;
    const next = to * pairs;
    for (let pair = 0; pair < pairs; pair++) {
      const oldCos = turnCos[old + pair] ?? 0;
      const oldSin = turnSin[old + pair] ?? 0;
      const nextCos = turnCos[next + pair] ?? 0;
      const nextSin = turnSin[next + pair] ?? 0;
      const cos = oldCos * nextCos + oldSin * nextSin;
      const sin = oldSin * nextCos - oldCos * nextSin;
      const x = keys[source + pair] ?? 0;
      const y = keys[source + pair + pairs] ?? 0;
      keys[target + pair] = x * cos + y * sin;
      keys[target + pair + pairs] = y * cos - x * sin;
    }
    // With a partial rotary factor the rest of the head is not rotated.
    if (2 * pairs < headDim) keys.copyWithin(target + 2 * pairs, source + 2 * pairs, source + headDim);
  }

  /** A copy of one layer. */
  export(layer: number): LayerCache {
    const { kvHeads, headDim } = this.shape;
    const length = this.units;
    const copy = {
      length,
      keys: new Float32Array(kvHeads * length * headDim),
      values: new Float32Array(kvHeads * length * headDim),
      scores: new Float32Array(this.withScores ? kvHeads * length : 0),
      tokenIndices: new Int32Array(kvHeads * length),
    };
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const { keys, values, scores, tokenIndices } = this.head(layer, kvHead);
      copy.keys.set(keys, kvHead * length * headDim);
      copy.values.set(values, kvHead * length * headDim);
      if (this.withScores) copy.scores.set(scores, kvHead * length);
      copy.tokenIndices.set(tokenIndices, kvHead * length);
    }
    return copy;
  }

  /**
   * Replaces one layer; {@link setLength} follows once all layers are in.
   * @throws LocretError snapshot-foreign when the arrays do not fit the model
   */
  import(layer: number, from: LayerCache): void {
    const { kvHeads, headDim } = this.shape;
    const { length } = from;
    const expected = {
      keys: kvHeads * length * headDim,
      values: kvHeads * length * headDim,
      scores: this.withScores ? kvHeads * length : 0,
      tokenIndices: kvHeads * length,
    };
    if (from.keys.length !== expected.keys || from.values.length !== expected.values)
      throw foreignLayer(
        layer,
        `${from.keys.length} and ${from.values.length} numbers of keys and values`,
        expected.keys,
      );
    if (from.scores.length !== expected.scores)
      throw foreignLayer(layer, `${from.scores.length} scores`, expected.scores);
    if (from.tokenIndices.length !== expected.tokenIndices)
      throw foreignLayer(layer, `${from.tokenIndices.length} token indices`, expected.tokenIndices);
    if (length > this.unitCapacity) throw foreignLayer(layer, `${length} units`, this.unitCapacity);
    const arrays = this.layer(layer);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const begin = kvHead * this.unitCapacity;
      const part = (array: Float32Array, size: number): Float32Array =>
        array.subarray(kvHead * length * size, (kvHead + 1) * length * size);
      arrays.keys.set(part(from.keys, headDim), begin * headDim);
      arrays.values.set(part(from.values, headDim), begin * headDim);
      if (this.withScores) arrays.scores.set(part(from.scores, 1), begin);
      arrays.tokenIndices.set(from.tokenIndices.subarray(kvHead * length, (kvHead + 1) * length), begin);
    }
  }

  setLength(length: number): void {
    this.units = length;
  }
}

function foreignLayer(layer: number, found: string, expected: number): LocretError {
  return new LocretError(
    'snapshot-foreign',
    `Layer ${layer} of the cache to be restored has ${found}; this model and plan expect ${expected}.`,
    'Read the repository again with this model and these settings.',
  );
}
