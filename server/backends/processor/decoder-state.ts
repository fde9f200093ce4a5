import { type CachePlan, type LayerCache, type Mark, structureBonus } from '../../engine/engine.js';
import { LocretError } from '../../errors.js';
import { RopeTables } from '../../model/rope-table.js';
import type { ModelShape } from '../../model/shape.js';
import type { DecoderSession, Pass, PassResult } from './decoder-session.js';
import { RetainedCache } from './retained-cache.js';

/** Where a decoder stands: the retained cache, the index of the next token, and the logits of the last one. */
export class DecoderState {
  readonly cache: RetainedCache;
  ropes: RopeTables;
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
    this.ropes = new RopeTables(shape, this.cache.slots);
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

  /** Reads tokens, uses their queries, and takes them back: nothing tells that they were there. */
  async readBehind(tokens: Int32Array, use: (queries: PassResult['queries']) => void): Promise<void> {
    const { length } = this.cache;
    const { nextTokenIndex } = this;
    const logits = this.lastLogits?.slice();
    try {
      use((await this.pass({ tokens, logitRows: [tokens.length - 1], queries: true })).queries);
    } finally {
      this.cache.truncate(length);
      this.nextTokenIndex = nextTokenIndex;
      this.lastLogits = logits;
    }
  }

  /** Makes room for so many units, where the cache is not limited. */
  private fit(length: number): void {
    const { capacity } = this.cache;
    if (length <= capacity || this.plan.budget !== Infinity) return;
    this.cache.grow(Math.max(length, 2 * capacity));
    this.ropes = new RopeTables(this.shape, this.cache.capacity, this.plan.capacity);
  }

  /**
   * Runs tokens behind the cache and appends their units. There must be room for them.
   * @param structure of which tokens scores are raised
   */
  async pass(pass: Pass, structure?: Uint8Array): Promise<PassResult> {
    const { tokens } = pass;
    this.fit(this.cache.length + tokens.length);
    const result = await this.session.run(this.cache, this.ropes, pass);
    if (structure !== undefined) for (const { scores } of result.units) raise(scores, structure, this.shape.kvHeads);
    for (const [layer, units] of result.units.entries())
      this.cache.append(layer, units, tokens.length, this.nextTokenIndex);
    this.cache.extendBy(tokens.length);
    this.nextTokenIndex += tokens.length;
    this.logitsBuffer.set(result.logits.subarray(-this.shape.vocabulary));
    this.lastLogits = this.logitsBuffer;
    return result;
  }

  /** @throws LocretError snapshot-foreign when the layer does not fit the model and the plan */
  importLayer(layer: number, units: LayerCache): void {
    this.fit(units.length);
    this.cache.import(layer, units);
  }

  /** Makes imported layers count. */
  resume(nextSlot: number, nextTokenIndex: number): void {
    this.cache.settle(nextSlot);
    this.nextTokenIndex = nextTokenIndex;
  }
}

/** @param scores `[tokens, kvHeads]` */
function raise(scores: Float32Array | undefined, structure: Uint8Array, kvHeads: number): void {
  if (scores === undefined) return;
  for (const [token, isStructure] of structure.entries()) {
    if (isStructure === 0) continue;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const at = token * kvHeads + kvHead;
      scores[at] = (scores[at] ?? 0) + structureBonus;
    }
  }
}
