import { LocretError } from '../../errors.js';
import type { ModelShape } from '../../model/shape.js';
import { ropeTable, type RopeTable } from '../../model/rope-table.js';
import type { DecoderSession, Pass, PassResult } from './decoder-session.js';
import { type CachePlan, favour, type LayerCache, type Mark } from '../../engine/engine.js';
import { RetainedCache } from './retained-cache.js';

/** Where a decoder stands: the retained cache, the index of the next token, and the logits of the last one. */
export class DecoderState {
  readonly cache: RetainedCache;
  rope: RopeTable;
  nextTokenIndex = 0;
  /** Times that units left other than by a rewind. */
  evictions = 0;
  /** Logits of the last token read, in the same array each time; undefined when there is nothing to continue. */
  lastLogits: Float32Array | undefined;
  private readonly logitsBuffer: Float32Array;

  constructor(
    private readonly session: DecoderSession,
    private readonly shape: ModelShape,
    private readonly plan: CachePlan,
    withScores: boolean,
  ) {
    this.logitsBuffer = new Float32Array(shape.vocabulary);
    this.cache = new RetainedCache(shape, withScores, plan);
    this.rope = ropeTable(shape.rope, this.cache.slots);
  }

  clear(): void {
    this.cache.clear();
    this.nextTokenIndex = 0;
    this.evictions += 1;
    this.lastLogits = undefined;
  }

  mark(): Mark {
    return { length: this.cache.length, nextTokenIndex: this.nextTokenIndex, evictions: this.evictions };
  }

  /** @throws LocretError invalid-argument when units left the cache since the mark */
  rewind(mark: Mark): void {
    if (mark.evictions !== this.evictions || mark.length > this.cache.length) {
      throw new LocretError(
        'invalid-argument',
        `The cache cannot return to ${mark.length} units: units left it since (${this.evictions - mark.evictions} evictions).`,
        'Set a mark behind the last eviction.',
      );
    }
    this.cache.truncate(mark.length);
    this.nextTokenIndex = mark.nextTokenIndex;
    this.lastLogits = undefined;
  }

  /** Runs a task and takes back the tokens that it read: nothing tells that they were there. */
  async takenBack(task: () => Promise<void>): Promise<void> {
    const { length } = this.cache;
    const { nextTokenIndex } = this;
    const logits = this.lastLogits?.slice();
    try {
      await task();
    } finally {
      this.cache.truncate(length);
      this.nextTokenIndex = nextTokenIndex;
      if (logits === undefined) this.lastLogits = undefined;
      else this.logitsBuffer.set(logits);
    }
  }

  /**
   * Makes room for so many units: an unlimited cache grows, a planned one is as large as it is.
   * @throws LocretError invalid-argument when the planned capacity does not suffice
   */
  fit(length: number): void {
    const { capacity } = this.cache;
    if (length <= capacity) return;
    if (this.plan.budget !== Infinity) {
      throw new LocretError(
        'invalid-argument',
        `The cache holds ${capacity} units per KV head; ${length} would be needed.`,
        'Read fewer tokens at once, or plan a larger capacity.',
      );
    }
    this.cache.grow(Math.max(length, 2 * capacity));
    this.rope = ropeTable(this.shape.rope, this.cache.capacity, this.plan.capacity);
  }

  /**
   * Gives the next token an index of its own choice.
   * @throws LocretError invalid-argument when it is not behind the last one
   */
  skipTo(tokenIndex: number): void {
    if (!Number.isSafeInteger(tokenIndex) || tokenIndex < this.nextTokenIndex || tokenIndex >= 2 ** 31) {
      throw new LocretError(
        'invalid-argument',
        `The first token index is ${tokenIndex}, which is not behind the last one, ${this.nextTokenIndex - 1}.`,
        'Give ascending token indices.',
      );
    }
    this.nextTokenIndex = tokenIndex;
  }

  /** Runs tokens behind the cache and appends their units. @param favoured of which tokens scores are raised */
  async pass(tokens: Int32Array, wanted: Omit<Pass, 'tokens'>, favoured?: Uint8Array): Promise<PassResult> {
    this.fit(this.cache.length + tokens.length);
    const result = await this.session.run(this.cache, this.rope, { tokens, ...wanted });
    if (favoured !== undefined) for (const { scores } of result.units) raise(scores, favoured, this.shape.kvHeads);
    for (const [layer, units] of result.units.entries())
      this.cache.append(layer, units, tokens.length, this.nextTokenIndex);
    this.cache.extendBy(tokens.length);
    this.nextTokenIndex += tokens.length;
    this.logitsBuffer.set(result.logits.subarray(-this.shape.vocabulary));
    this.lastLogits = this.logitsBuffer;
    return result;
  }

  /**
   * Replaces the cache.
   * @throws LocretError snapshot-foreign when there are not as many layers as the model has, as long as they must be
   */
  async import(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    this.clear();
    try {
      this.cache.settle(await this.importAll(layers));
    } catch (error) {
      this.clear();
      throw error;
    }
    this.nextTokenIndex = nextTokenIndex;
  }

  /** Imports layer by layer; returns the slot behind them. */
  private async importAll(layers: AsyncIterable<LayerCache>): Promise<number> {
    let layer = 0;
    let nextSlot: number | undefined;
    for await (const units of layers) {
      const slot = units.uneven?.nextSlot ?? units.length;
      nextSlot ??= slot;
      if (layer === this.shape.layers || slot !== nextSlot) throw this.foreignLayers(layer, units.length);
      if (units.uneven === undefined) this.fit(slot);
      this.cache.import(layer, units);
      layer += 1;
    }
    if (layer !== this.shape.layers) throw this.foreignLayers(layer, 0);
    return nextSlot ?? 0;
  }

  private foreignLayers(layer: number, length: number): LocretError {
    return new LocretError(
      'snapshot-foreign',
      `The cache to be restored has ${length} units in layer ${layer}; ${this.shape.layers} layers of equal length were expected.`,
      'Read the repository again with this model and these settings.',
    );
  }
}

/** @param scores `[tokens, kvHeads]` */
function raise(scores: Float32Array | undefined, favoured: Uint8Array, kvHeads: number): void {
  if (scores === undefined) return;
  for (const [token, isFavoured] of favoured.entries()) {
    if (isFavoured === 0) continue;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const at = token * kvHeads + kvHead;
      scores[at] = (scores[at] ?? 0) + favour;
    }
  }
}
