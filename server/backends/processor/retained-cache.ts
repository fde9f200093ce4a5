import type { ModelShape } from '../../model/shape.js';
import type { RopeTable } from '../../model/rope-table.js';
import { Budgets } from '../../eviction/budgets.js';
import type { CachePlan, LayerCache } from '../../engine/engine.js';
import { HeadRegions } from './head-regions.js';
import { moveKey } from './key-rotation.js';
import { checkSizes, type HeadUnits, importedLengths, joinHeads, sumOf } from './layer-copy.js';

export type { HeadUnits };

/** The arrays of one layer: a region for each KV head. */
interface LayerArrays {
  regions: HeadRegions;
  /** `[units of all regions, headDim]`, rotated to slots. */
  keys: Float32Array;
  values: Float32Array;
  /** `[units of all regions]`; empty when units have none. */
  scores: Float32Array;
  tokenIndices: Int32Array;
}

/** The units of KV heads that hold equally many, for the model: a view, not a copy. */
export interface GroupUnits {
  /** Units of each head. */
  readonly length: number;
  /** Units that each head's region holds. */
  readonly capacity: number;
  /** `[heads of the group, capacity, headDim]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
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
 * `nextSlot`, the others before it without gaps: where all heads are equally long, in slots 0..length-1; a shorter head's
 * units begin later. Rotary positions are relative, so that costs it nothing.
 *
 * Units are appended, compacted in place (a key that moves is turned by the slot difference) and cut off at the end.
 */
export class RetainedCache {
  /** What layers and heads may keep. */
  readonly budgets: Budgets;
  private readonly layers: LayerArrays[];
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
    this.layers = shape.layers.map((_, layer) => this.allocate(this.regionsOf(layer)));
  }

  /** Empty regions: of the planned capacity, or where layers differ of the layer's budget and all that comes behind. */
  private regionsOf(layer: number): HeadRegions {
    const isPyramid = this.budgets.equalLengths === 'layer';
    const units = isPyramid ? this.budgets.ofLayer(layer) + this.budgets.behind : this.unitCapacity;
    return new HeadRegions(this.shape.kvHeads, units);
  }

  private allocate(regions: HeadRegions): LayerArrays {
    const { units } = regions;
    const { headDim } = this.shape;
    return {
      regions,
      keys: new Float32Array(units * headDim),
      values: new Float32Array(units * headDim),
      scores: new Float32Array(this.withScores ? units : 0),
      tokenIndices: new Int32Array(units),
    };
  }

  /**
   * Units per KV head. Where budgets differ, what is left to the capacity: as many as {@link capacity} less the units that
   * every head still has room for.
   */
  get length(): number {
    if (this.plan.uneven === undefined) return this.slot;
    const room = this.layers.reduce((least, { regions }) => Math.min(least, regions.room), this.slots - this.slot);
    return this.unitCapacity - room;
  }

  /** Units per KV head that the cache can hold, on average over all heads. */
  get capacity(): number {
    return this.unitCapacity;
  }

  /** The slot of the next token. */
  get nextSlot(): number {
    return this.slot;
  }

  /** Slots that tokens can be in. */
  get slots(): number {
    return this.plan.uneven === undefined ? this.unitCapacity : this.budgets.longest + this.budgets.behind;
  }

  /** Another number whenever {@link groups} are other arrays or other parts of them. */
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

  private layer(layer: number): LayerArrays {
    const arrays = this.layers[layer];
    if (arrays === undefined) throw new RangeError(`layer ${layer} of ${this.layers.length}`);
    return arrays;
  }

  /** A layer's units as the model reads them: all heads together, or each for itself where lengths differ. */
  groups(layer: number): readonly GroupUnits[] {
    const { regions, keys, values } = this.layer(layer);
    if (this.budgets.equalLengths !== 'head')
      return [{ length: regions.length(0), capacity: regions.capacity(0), keys, values }];
    const { headDim } = this.shape;
    return Array.from({ length: this.shape.kvHeads }, (_, kvHead) => {
      const capacity = regions.capacity(kvHead);
      const begin = regions.begin(kvHead) * headDim;
      const end = begin + capacity * headDim;
      const length = regions.length(kvHead);
      return { length, capacity, keys: keys.subarray(begin, end), values: values.subarray(begin, end) };
    });
  }

  /** The units of one KV head. */
  head(layer: number, kvHead: number): HeadUnits {
    const { headDim } = this.shape;
    const { regions, keys, values, scores, tokenIndices } = this.layer(layer);
    const length = regions.length(kvHead);
    const begin = regions.begin(kvHead);
    const end = begin + length;
    return {
      length,
      keys: keys.subarray(begin * headDim, end * headDim),
      values: values.subarray(begin * headDim, end * headDim),
      scores: this.withScores ? scores.subarray(begin, end) : scores,
      tokenIndices: tokenIndices.subarray(begin, end),
    };
  }

  /** Moves everything into larger arrays; only a cache of equal lengths grows. */
  grow(capacity: number): void {
    const { kvHeads, headDim } = this.shape;
    this.unitCapacity = capacity;
    for (const [layer, old] of this.layers.entries()) {
      const next = this.allocate(this.regionsOf(layer));
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const { keys, values, scores, tokenIndices } = this.head(layer, kvHead);
        const begin = next.regions.begin(kvHead);
        next.keys.set(keys, begin * headDim);
        next.values.set(values, begin * headDim);
        if (this.withScores) next.scores.set(scores, begin);
        next.tokenIndices.set(tokenIndices, begin);
      }
      next.regions.lengths.set(old.regions.lengths);
      Object.assign(old, next);
    }
    this.layouts += 1;
  }

  /** Writes one layer's new units behind the others; {@link extendBy} makes them count. */
  append(layer: number, added: NewUnits, tokens: number, firstTokenIndex: number): void {
    const { kvHeads, headDim } = this.shape;
    const { regions, ...arrays } = this.layer(layer);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const first = regions.begin(kvHead) + regions.length(kvHead);
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
    for (const { regions } of this.layers)
      for (let kvHead = 0; kvHead < this.shape.kvHeads; kvHead++)
        regions.lengths[kvHead] = regions.length(kvHead) + tokens;
    this.slot += tokens;
  }

  /** Forgets the newest units, equally many of every head, until `length` are left. */
  truncate(length: number): void {
    this.extendBy(Math.min(0, length - this.length));
  }

  /** Forgets all units. */
  clear(): void {
    for (const [layer, arrays] of this.layers.entries()) arrays.regions = this.regionsOf(layer);
    this.slot = 0;
    this.layouts += 1;
  }

  /**
   * Moves the kept units of one KV head together. {@link settle} follows once all heads are done.
   * @param kept ascending places among the head's units
   * @param nextSlot the slot behind the newest unit from then on
   */
  compact(layer: number, kvHead: number, kept: Int32Array, nextSlot: number, rope: RopeTable): void {
    const { headDim } = this.shape;
    const { length, keys, values, scores, tokenIndices } = this.head(layer, kvHead);
    const oldSlot = this.slot - length;
    const newSlot = nextSlot - kept.length;
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
        const move = { from: from + unit, to: to + unit, fromSlot: oldSlot + from + unit, toSlot: newSlot + to + unit };
        moveKey(keys, headDim, rope, move);
      }
      to += run;
    }
    this.layer(layer).regions.lengths[kvHead] = kept.length;
  }

  /** Ends what {@link compact} began: the newest units stand before `nextSlot`, and every head has room again. */
  settle(nextSlot: number): void {
    this.slot = nextSlot;
    if (this.budgets.equalLengths !== 'head') return;
    for (const arrays of this.layers) this.arrange(arrays);
    this.layouts += 1;
  }

  private arrange({ regions, keys, values, scores, tokenIndices }: LayerArrays): void {
    const { headDim } = this.shape;
    regions.arrange((from, to, units) => {
      keys.copyWithin(to * headDim, from * headDim, (from + units) * headDim);
      values.copyWithin(to * headDim, from * headDim, (from + units) * headDim);
      if (this.withScores) scores.copyWithin(to, from, from + units);
      tokenIndices.copyWithin(to, from, from + units);
    });
  }

  /** A copy of one layer. */
  export(layer: number): LayerCache {
    const { kvHeads } = this.shape;
    const heads = Array.from({ length: kvHeads }, (_, kvHead) => this.head(layer, kvHead));
    return joinHeads(heads, this.plan.uneven === undefined ? undefined : this.slot);
  }

  /**
   * Replaces one layer of an empty cache; {@link settle} follows once all layers are in.
   * @throws LocretError snapshot-foreign when the arrays do not fit the model
   */
  import(layer: number, from: LayerCache): void {
    const { kvHeads, headDim } = this.shape;
    const { regions, ...arrays } = this.layer(layer);
    const { equalLengths } = this.budgets;
    const isUneven = this.plan.uneven !== undefined;
    const capacity = equalLengths === 'head' ? undefined : regions.capacity(0);
    const room = { kvHeads, isUneven, capacity, units: regions.units, slots: this.slots };
    const lengths = importedLengths(layer, from, room);
    checkSizes(layer, from, { units: sumOf(lengths), headDim, withScores: this.withScores });
    regions.lengths.set(lengths);
    // Where heads differ each gets its region here; nothing is in them yet.
    if (equalLengths === 'head') regions.arrange(() => undefined);
    let begin = 0;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const end = begin + regions.length(kvHead);
      const to = regions.begin(kvHead);
      arrays.keys.set(from.keys.subarray(begin * headDim, end * headDim), to * headDim);
      arrays.values.set(from.values.subarray(begin * headDim, end * headDim), to * headDim);
      if (this.withScores) arrays.scores.set(from.scores.subarray(begin, end), to);
      arrays.tokenIndices.set(from.tokenIndices.subarray(begin, end), to);
      begin = end;
    }
  }
}
