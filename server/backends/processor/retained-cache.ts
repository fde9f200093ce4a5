import type { CachePlan, LayerCache } from '../../engine/engine.js';
import { foreignLayer } from '../../engine/foreign-layer.js';
import { Budgets } from '../../eviction/budgets.js';
import type { HeadUnits, Rotation } from '../../eviction/policy.js';
import type { Units } from '../../eviction/units.js';
import type { RopeTables } from '../../model/rope-table.js';
import type { ModelShape } from '../../model/shape.js';
import { moveKey } from './key-rotation.js';

/** A layer's units as the model reads them: a view, not a copy. */
export interface LayerUnits {
  /** Units of each KV head. */
  readonly length: number;
  /** Units that each head has room for. */
  readonly capacity: number;
  /** `[kvHeads, capacity, headDim]`, rotated to slots. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** The arrays of one layer, filled up to `length` in the part of each KV head. */
interface LayerArrays extends LayerUnits {
  length: number;
  /** `[kvHeads, capacity]`; empty when units have none. */
  readonly scores: Float32Array;
  /** `[kvHeads, capacity]` */
  readonly tokenIndices: Int32Array;
}

/** What a pass adds to one layer: rows of the new tokens. */
export interface NewUnits {
  /** `[tokens, kvHeads * headDim]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** `[tokens, kvHeads]`; absent without retaining heads: units that have scores then begin with 0. */
  readonly scores: Float32Array | undefined;
}

/**
 * The cache units of every layer and KV head in preallocated arrays. The newest unit of every head is in the slot before
 * `nextSlot`, the others before it without gaps: where all layers are equally long, in slots 0..length-1; a shorter
 * layer's units begin later. Rotary positions are relative, so that costs it nothing.
 *
 * Units are appended, compacted in place (a key that moves is turned by the slot difference) and cut off at the end.
 */
export class RetainedCache {
  /** What layers may keep. */
  readonly budgets: Budgets;
  private layers: readonly LayerArrays[];
  private unitCapacity: number;
  private slot = 0;
  private layouts = 1;

  constructor(
    private readonly shape: ModelShape,
    private readonly withScores: boolean,
    private readonly plan: CachePlan,
  ) {
    this.budgets = new Budgets(plan, shape.layers.length);
    this.unitCapacity = plan.capacity;
    this.layers = this.allocate();
  }

  /** Empty arrays: of the planned capacity, or where layers differ of the layer's budget and all that comes behind. */
  private allocate(): LayerArrays[] {
    const { layers, kvHeads, headDim } = this.shape;
    return layers.map((_, layer) => {
      const capacity = this.isUneven ? this.budgets.ofLayer(layer) + this.budgets.behind : this.unitCapacity;
      const units = kvHeads * capacity;
      return {
        length: 0,
        capacity,
        keys: new Float32Array(units * headDim),
        values: new Float32Array(units * headDim),
        scores: new Float32Array(this.withScores ? units : 0),
        tokenIndices: new Int32Array(units),
      };
    });
  }

  /** Whether layers may differ in length. */
  get isUneven(): boolean {
    return this.plan.uneven !== undefined;
  }

  /**
   * Units per KV head. Where budgets differ, what is left to the capacity: as many as {@link capacity} less the units that
   * every layer still has room for.
   */
  get length(): number {
    if (!this.isUneven) return this.slot;
    const room = this.layers.map(({ capacity, length }) => capacity - length);
    return this.unitCapacity - Math.min(this.slots - this.slot, ...room);
  }

  /** Units per KV head that the cache can hold, on average over all layers. */
  get capacity(): number {
    return this.unitCapacity;
  }

  /** The slot of the next token. */
  get nextSlot(): number {
    return this.slot;
  }

  /** Slots that tokens can be in. */
  get slots(): number {
    return this.isUneven ? this.budgets.longest + this.budgets.behind : this.unitCapacity;
  }

  /** Another number whenever {@link layer} gives other arrays. */
  get layout(): number {
    return this.layouts;
  }

  /** Bytes as allocated. */
  get bytes(): number {
    return this.layers.reduce(
      (sum, { keys, values, scores, tokenIndices }) =>
        sum + keys.byteLength + values.byteLength + scores.byteLength + tokenIndices.byteLength,
      0,
    );
  }

  private arrays(layer: number): LayerArrays {
    const arrays = this.layers[layer];
    if (arrays === undefined) throw new RangeError(`layer ${layer} of ${this.layers.length}`);
    return arrays;
  }

  /** A layer's units, all heads together. */
  layer(layer: number): LayerUnits {
    return this.arrays(layer);
  }

  /** The units of one KV head. */
  head(layer: number, kvHead: number): HeadUnits {
    return this.part(this.arrays(layer), kvHead);
  }

  private part({ length, capacity, keys, values, scores, tokenIndices }: LayerArrays, kvHead: number): HeadUnits {
    const { headDim } = this.shape;
    const begin = kvHead * capacity;
    const end = begin + length;
    return {
      length,
      keys: keys.subarray(begin * headDim, end * headDim),
      values: values.subarray(begin * headDim, end * headDim),
      scores: this.withScores ? scores.subarray(begin, end) : scores,
      tokenIndices: tokenIndices.subarray(begin, end),
    };
  }

  /** The slot of the first unit of a layer's heads. */
  private firstSlot(layer: number): number {
    return this.slot - this.arrays(layer).length;
  }

  /** Moves everything into larger arrays; only a cache of equal lengths grows. */
  grow(capacity: number): void {
    const before = this.layers;
    this.unitCapacity = capacity;
    this.layers = this.allocate();
    for (const [layer, old] of before.entries()) {
      const next = this.arrays(layer);
      next.length = old.length;
      for (let kvHead = 0; kvHead < this.shape.kvHeads; kvHead++) this.fill(next, kvHead, this.part(old, kvHead));
    }
    this.layouts += 1;
  }

  /** Writes the units of a KV head at the beginning of its part. */
  private fill(arrays: LayerArrays, kvHead: number, units: Omit<HeadUnits, 'length'>): void {
    const { headDim } = this.shape;
    const begin = kvHead * arrays.capacity;
    arrays.keys.set(units.keys, begin * headDim);
    arrays.values.set(units.values, begin * headDim);
    arrays.scores.set(units.scores, this.withScores ? begin : 0);
    arrays.tokenIndices.set(units.tokenIndices, begin);
  }

  /** Writes one layer's new units behind the others; {@link extendBy} makes them count. */
  append(layer: number, added: NewUnits, tokens: number, firstTokenIndex: number): void {
    const { kvHeads, headDim } = this.shape;
    const { length, capacity, ...arrays } = this.arrays(layer);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const first = kvHead * capacity + length;
      for (let token = 0; token < tokens; token++) {
        const from = (token * kvHeads + kvHead) * headDim;
        const to = (first + token) * headDim;
        arrays.keys.set(added.keys.subarray(from, from + headDim), to);
        arrays.values.set(added.values.subarray(from, from + headDim), to);
        arrays.tokenIndices[first + token] = firstTokenIndex + token;
      }
      if (added.scores === undefined) {
        arrays.scores.fill(0, first, first + (this.withScores ? tokens : 0));
        continue;
      }
      for (let token = 0; token < tokens; token++)
        arrays.scores[first + token] = added.scores[token * kvHeads + kvHead] ?? 0;
    }
  }

  /** Counts the units that were appended to every layer. */
  extendBy(tokens: number): void {
    for (const arrays of this.layers) arrays.length += tokens;
    this.slot += tokens;
  }

  /** Forgets the newest units, equally many of every head, until `length` are left. */
  truncate(length: number): void {
    this.extendBy(Math.min(0, length - this.length));
  }

  /** Forgets all units. */
  clear(): void {
    for (const arrays of this.layers) arrays.length = 0;
    this.slot = 0;
  }

  /**
   * Moves the kept units of one layer together. {@link settle} follows once all layers are done.
   * @param kept ascending places among each head's units, equally many of every head
   * @param nextSlot the slot behind the newest unit from then on
   */
  compact(layer: number, kept: readonly Int32Array[], nextSlot: number, rotation: Rotation): void {
    const arrays = this.arrays(layer);
    const oldSlot = this.firstSlot(layer);
    const length = kept[0]?.length ?? 0;
    const newSlot = nextSlot - length;
    for (const [kvHead, places] of kept.entries())
      this.compactHead(this.part(arrays, kvHead), places, { oldSlot, newSlot, rotation });
    arrays.length = length;
  }

  private compactHead(
    { keys, values, scores, tokenIndices }: HeadUnits,
    kept: Int32Array,
    move: { readonly oldSlot: number; readonly newSlot: number; readonly rotation: Rotation },
  ): void {
    const { headDim } = this.shape;
    const { oldSlot, newSlot, rotation } = move;
    let first = 0;
    if (oldSlot === newSlot) while (first < kept.length && kept[first] === first) first++;
    for (let to = first; to < kept.length;) {
      const from = kept[to] ?? 0;
      let run = 1;
      while (to + run < kept.length && kept[to + run] === from + run) run++;
      values.copyWithin(to * headDim, from * headDim, (from + run) * headDim);
      if (this.withScores) scores.copyWithin(to, from, from + run);
      tokenIndices.copyWithin(to, from, from + run);
      for (let unit = 0; unit < run; unit++) {
        const source = { keys, unit: from + unit, slot: oldSlot + from + unit };
        moveKey(source, { keys, unit: to + unit, slot: newSlot + to + unit }, headDim, rotation);
      }
      to += run;
    }
  }

  /** Ends what {@link compact} or {@link import} began: the newest units stand before `nextSlot`. */
  settle(nextSlot: number): void {
    this.slot = nextSlot;
  }

  /**
   * A copy of the units of a KV head that {@link compact} would not keep.
   * @param kept ascending places among the head's units
   */
  unitsBeside(layer: number, head: number, kept: Int32Array): Units {
    const { headDim } = this.shape;
    const { length, keys, values, scores, tokenIndices } = this.head(layer, head);
    const stays = new Uint8Array(length);
    for (const place of kept) stays[place] = 1;
    const places = Int32Array.from(stays.keys()).filter((place) => stays[place] === 0);
    const first = this.firstSlot(layer);
    const vectors = (from: Float32Array): Float32Array => {
      const copied = new Float32Array(places.length * headDim);
      for (const [unit, place] of places.entries())
        copied.set(from.subarray(place * headDim, (place + 1) * headDim), unit * headDim);
      return copied;
    };
    return {
      layer,
      head,
      positions: places.map((place) => tokenIndices[place] ?? 0),
      slots: places.map((place) => first + place),
      keys: vectors(keys),
      values: vectors(values),
      scores: Float32Array.from(this.withScores ? places : [], (place) => scores[place] ?? 0),
    };
  }

  /**
   * Takes units in: they stand behind all others, their keys turned to the slots there.
   * @param units equally many for every KV head of every layer; there must be room for them
   */
  takeIn(units: readonly Units[], ropes: RopeTables): void {
    const { layers, kvHeads, headDim } = this.shape;
    const count = units[0]?.positions.length ?? 0;
    const heads = new Set(units.map(({ layer, head }) => layer * kvHeads + head));
    if (heads.size !== layers.length * kvHeads || units.some(({ positions }) => positions.length !== count))
      throw new RangeError(`units for ${heads.size} of ${layers.length * kvHeads} KV heads, or not equally many`);
    if (this.length + count > this.unitCapacity)
      throw new RangeError(`${count} units behind ${this.length} of ${this.unitCapacity}`);
    for (const { layer, head, positions, slots, keys, values, scores } of units) {
      const arrays = this.arrays(layer);
      const first = head * arrays.capacity + arrays.length;
      arrays.keys.set(keys, first * headDim);
      for (const [unit, slot] of slots.entries()) {
        const target = { keys: arrays.keys, unit: first + unit, slot: this.slot + unit };
        // A turn by nothing would round.
        if (slot !== target.slot) moveKey({ keys, unit, slot }, target, headDim, ropes.of(layer));
      }
      arrays.values.set(values, first * headDim);
      if (this.withScores) arrays.scores.set(scores, first);
      arrays.tokenIndices.set(positions, first);
    }
    this.extendBy(count);
  }

  /** A copy of one layer. */
  export(layer: number): LayerCache {
    const { kvHeads, headDim } = this.shape;
    const { length } = this.arrays(layer);
    const units = kvHeads * length;
    const copy = {
      keys: new Float32Array(units * headDim),
      values: new Float32Array(units * headDim),
      scores: new Float32Array(this.withScores ? units : 0),
      tokenIndices: new Int32Array(units),
    };
    for (let kvHead = 0; kvHead < kvHeads; kvHead++)
      this.fill({ ...copy, length, capacity: length }, kvHead, this.head(layer, kvHead));
    return { length, ...(this.isUneven ? { nextSlot: this.slot } : {}), ...copy };
  }

  /**
   * Replaces one layer of an empty cache; {@link settle} follows once all layers are in.
   * @throws LocretError snapshot-foreign when the arrays do not fit the model
   */
  import(layer: number, from: LayerCache): void {
    const { kvHeads, headDim } = this.shape;
    const arrays = this.arrays(layer);
    const { length } = from;
    this.checkFit(layer, from, arrays.capacity);
    arrays.length = length;
    const part = <Numbers>(numbers: { subarray(begin: number, end: number): Numbers }, kvHead: number, width = 1) =>
      numbers.subarray(kvHead * length * width, (kvHead + 1) * length * width);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++)
      this.fill(arrays, kvHead, {
        keys: part(from.keys, kvHead, headDim),
        values: part(from.values, kvHead, headDim),
        scores: part(from.scores, kvHead),
        tokenIndices: part(from.tokenIndices, kvHead),
      });
  }

  private checkFit(layer: number, { length, nextSlot, ...arrays }: LayerCache, capacity: number): void {
    const units = this.shape.kvHeads * length;
    const expectedScores = this.withScores ? units : 0;
    const { keys, values, scores, tokenIndices } = arrays;
    if ((nextSlot !== undefined) !== this.isUneven)
      throw foreignLayer(layer, `${this.isUneven ? 'no' : 'a'} length of its own`, 'the other form');
    if (length < 0 || length > capacity) throw foreignLayer(layer, `${length} units`, `at most ${capacity}`);
    if (nextSlot !== undefined && (nextSlot < length || nextSlot > this.slots))
      throw foreignLayer(layer, `its end in slot ${nextSlot}`, `one from ${length} to ${this.slots}`);
    const numbers = units * this.shape.headDim;
    if (keys.length !== numbers || values.length !== numbers)
      throw foreignLayer(layer, `${keys.length} and ${values.length} numbers of keys and values`, `${numbers} of each`);
    if (scores.length !== expectedScores) throw foreignLayer(layer, `${scores.length} scores`, `${expectedScores}`);
    if (tokenIndices.length !== units) throw foreignLayer(layer, `${tokenIndices.length} token indices`, `${units}`);
  }
}
