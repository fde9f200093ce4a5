import type { CudaBinding, CudaHandle, CudaPlan, CudaState } from './binding.js';
import { decisionArrays, layerDecisions, limitsOf } from './decisions.js';
import { guardCuda } from './errors.js';
import type { Decoder, DecoderPass, DecoderPassResult } from '../../engine/decoder.js';
import {
  type AttentionMass,
  type EngineDescription,
  type EngineStats,
  type Eviction,
  type LayerCache,
  type Mark,
  structureBonus,
  type TokenRange,
} from '../../engine/engine.js';
import { foreignLayer } from '../../engine/foreign-layer.js';

/** The values of the native interface. */
const evictions: Readonly<Record<Eviction, number>> = { none: 0, 'between-chunks': 1, final: 2 };
const wantedLogits: Readonly<Record<DecoderPass['logits'], number>> = { none: 0, last: 1, all: 2 };

/** The decoder on a GPU; the cache lies there too. */
export class CudaDecoder implements Decoder {
  private state: CudaState = { length: 0, nextTokenIndex: 0, evictions: 0, hasLogits: false };
  private readonly logits: Float32Array;
  /** Whether `logits` are the last ones. */
  private areCopied = false;

  constructor(
    private readonly binding: CudaBinding,
    private readonly engine: CudaHandle,
    private readonly planned: CudaPlan,
    private readonly description: EngineDescription,
    private readonly withScores: boolean,
  ) {
    this.logits = new Float32Array(description.shape.vocabulary);
  }

  get length(): number {
    return this.state.length;
  }

  get room(): number {
    return this.description.plan.capacity;
  }

  get nextTokenIndex(): number {
    return this.state.nextTokenIndex;
  }

  lastLogits(): Float32Array | undefined {
    if (!this.state.hasLogits) return undefined;
    if (!this.areCopied) {
      guardCuda(() => {
        this.binding.lastLogits(this.engine, this.logits);
      });
    }
    this.areCopied = true;
    return this.logits;
  }

  likeliest(): number | undefined {
    return this.state.hasLogits ? guardCuda(() => this.binding.likeliest(this.engine)) : undefined;
  }

  pass(pass: DecoderPass): Promise<DecoderPassResult> {
    return settled(() => this.passNow(pass));
  }

  step(token: number, observe: boolean): Promise<void> {
    return settled(() => {
      guardCuda(() => {
        this.binding.step(this.engine, token, observe ? 1 : 0);
      });
      this.refresh();
    });
  }

  startObserving(reach = Infinity): void {
    guardCuda(() => {
      this.binding.startObserving(this.engine, reach === Infinity ? 0 : reach);
    });
  }

  observed(): Promise<AttentionMass> {
    return settled(() => {
      const { layers, heads } = this.description.shape;
      const sums = new Float64Array(this.state.nextTokenIndex);
      const all = guardCuda(() => this.binding.observed(this.engine, sums)) * layers.length * heads;
      const tokenIndices = Int32Array.from(sums.keys()).filter((token) => sums[token] !== 0);
      return { tokenIndices, mass: Float32Array.from(tokenIndices, (token) => (sums[token] ?? 0) / all) };
    });
  }

  mark(): Mark {
    const { length, nextTokenIndex, evictions: times } = this.state;
    return { length, nextTokenIndex, evictions: times };
  }

  rewind(mark: Mark): void {
    this.change(() => {
      this.binding.rewind(this.engine, mark);
    });
  }

  forget(ranges: readonly TokenRange[]): number {
    const numbers = Int32Array.from(ranges.flatMap(({ begin, end }) => [begin, end]));
    let dropped = 0;
    this.change(() => {
      dropped = this.binding.forget(this.engine, numbers);
    });
    return dropped;
  }

  clear(): void {
    this.change(() => {
      this.binding.clear(this.engine);
    });
  }

  exportLayer(layer: number): LayerCache {
    const { length } = this.state;
    const { kvHeads } = this.description.shape;
    const units = new Uint8Array(this.packedBytes(length));
    const scores = new Float32Array(this.withScores ? kvHeads * length : 0);
    const tokenIndices = new Int32Array(kvHeads * length);
    guardCuda(() => {
      this.binding.exportLayer(this.engine, layer, { units, scores, tokenIndices });
    });
    const none = new Float32Array(0);
    return { length, packed: units, keys: none, values: none, scores, tokenIndices };
  }

  importLayer(layer: number, { length, packed, scores, tokenIndices }: LayerCache): void {
    const count = this.description.shape.kvHeads * length;
    const bytes = this.packedBytes(length);
    const expectedScores = this.withScores ? count : 0;
    if (packed?.length !== bytes)
      throw foreignLayer(layer, `${packed?.length ?? 0} bytes of keys and values`, `${bytes}`);
    if (scores.length !== expectedScores) throw foreignLayer(layer, `${scores.length} scores`, `${expectedScores}`);
    if (tokenIndices.length !== count) throw foreignLayer(layer, `${tokenIndices.length} token indices`, `${count}`);
    if (length > this.room) throw foreignLayer(layer, `${length} units`, `at most ${this.room}`);
    this.change(() => {
      this.binding.importLayer(this.engine, layer, length, { units: packed, scores, tokenIndices });
    });
  }

  resume(nextSlot: number, nextTokenIndex: number): void {
    this.change(() => {
      this.binding.resume(this.engine, nextSlot, nextTokenIndex);
    });
  }

  tokenIndices(): readonly Int32Array[] {
    const { layers, kvHeads } = this.description.shape;
    const all = new Int32Array(layers.length * kvHeads * this.state.length);
    guardCuda(() => {
      this.binding.tokenIndices(this.engine, all);
    });
    return [all];
  }

  stats(): Omit<EngineStats, 'seconds'> {
    const { cacheBytes, weightBytes, headBytes } = this.planned;
    return { ...this.mark(), cacheBytes, weightBytes: weightBytes + headBytes };
  }

  dispose(): Promise<void> {
    return settled(() => {
      this.binding.close(this.engine);
    });
  }

  /** Makes a change on the device, and reads where the cache stands afterwards. */
  private change(call: () => void): void {
    guardCuda(call);
    this.refresh();
  }

  private refresh(): void {
    this.state = guardCuda(() => this.binding.state(this.engine));
    this.areCopied = false;
  }

  private passNow(pass: DecoderPass): DecoderPassResult {
    const { tokens, firstTokenIndex, logits, eviction, observeFrom, detail, structure } = pass;
    const before = this.state.length;
    const { shape, plan } = this.description;
    const rows = { none: 0, last: 1, all: tokens.length }[logits];
    const logitRows = new Float32Array(rows * shape.vocabulary);
    const added = { before, count: tokens.length, withScores: this.withScores };
    const arrays = detail ? decisionArrays(shape, limitsOf(plan, eviction), added) : undefined;
    let times;
    try {
      times = guardCuda(() =>
        this.binding.pass(this.engine, {
          tokens,
          firstTokenIndex,
          eviction: evictions[eviction],
          logits: wantedLogits[logits],
          logitRows: rows === 0 ? null : logitRows,
          observeFrom: observeFrom ?? tokens.length,
          bonuses: structure === undefined ? null : Float32Array.from(structure, (is) => is * structureBonus),
          decision: arrays === undefined ? null : { ...arrays, scores: this.withScores ? arrays.scores : null },
        }),
      );
    } finally {
      // Also when an eviction failed: the units of the pass are there.
      this.refresh();
    }
    return {
      logits: logitRows,
      milliseconds: { model: times.model, eviction: times.eviction },
      layers: arrays === undefined ? undefined : layerDecisions(shape, limitsOf(plan, eviction), arrays),
    };
  }

  /** Bytes of a layer's keys and values with what quantization needs. */
  private packedBytes(length: number): number {
    return this.description.shape.kvHeads * length * this.planned.unitBytes + this.planned.layerTableBytes;
  }
}

/** The result of a call that is over at once, as a promise. */
function settled<Result>(call: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(call());
  });
}
