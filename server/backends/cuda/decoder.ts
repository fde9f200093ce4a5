import { LocretError } from '../../errors.js';
import type { CudaBinding, CudaHandle, CudaPlan, CudaState } from './binding.js';
import { decisionArrays, layerDecisions, limitsOf } from './decisions.js';
import { guardCuda } from './errors.js';
import type { Decoder, DecoderPass, DecoderPassResult } from '../../engine/decoder.js';
import {
  type AttentionMass,
  favour,
  type EngineDescription,
  type EngineStats,
  type Eviction,
  type KeptUnits,
  type LayerCache,
  type Mark,
  type TokenRange,
} from '../../engine/engine.js';
import { countKeptUnits } from '../../engine/kept-units.js';

/** The values of the native interface. */
const evictions: Readonly<Record<Eviction, number>> = { none: 0, 'between-chunks': 1, final: 2 };
const wantedLogits: Readonly<Record<DecoderPass['logits'], number>> = { none: 0, last: 1, all: 2 };

/** The decoder on a GPU; the cache lies there too. */
export class CudaDecoder implements Decoder {
  private state: CudaState = { length: 0, nextTokenIndex: 0, evictions: 0, hasLogits: false };
  private tokenIndex = 0;
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
    return this.tokenIndex;
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

  fit(length: number): void {
    if (length <= this.room) return;
    throw new LocretError(
      'invalid-argument',
      `The cache holds ${this.room} units per KV head; ${length} would be needed.`,
      'Read fewer tokens at once, or plan a larger capacity.',
    );
  }

  skipTo(tokenIndex: number): void {
    if (!Number.isSafeInteger(tokenIndex) || tokenIndex < this.tokenIndex || tokenIndex >= 2 ** 31) {
      throw new LocretError(
        'invalid-argument',
        `The first token index is ${tokenIndex}, which is not behind the last one, ${this.tokenIndex - 1}.`,
        'Give ascending token indices.',
      );
    }
    this.tokenIndex = tokenIndex;
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
      const all = guardCuda(() => this.binding.observed(this.engine, sums)) * layers * heads;
      const tokenIndices = Int32Array.from(sums.keys()).filter((token) => sums[token] !== 0);
      return { tokenIndices, mass: Float32Array.from(tokenIndices, (token) => (sums[token] ?? 0) / all) };
    });
  }

  mark(): Mark {
    return { length: this.state.length, nextTokenIndex: this.tokenIndex, evictions: this.state.evictions };
  }

  rewind({ length, nextTokenIndex, evictions: marked }: Mark): void {
    this.change(() => {
      this.binding.rewind(this.engine, length, nextTokenIndex, marked);
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
    const packed = new Uint8Array(this.packedBytes(length));
    const scores = new Float32Array(this.withScores ? kvHeads * length : 0);
    const tokenIndices = new Int32Array(kvHeads * length);
    guardCuda(() => {
      this.binding.exportLayer(this.engine, layer, packed, scores, tokenIndices);
    });
    return { length, packed, keys: new Float32Array(0), values: new Float32Array(0), scores, tokenIndices };
  }

  async importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    const { shape } = this.description;
    this.clear();
    let layer = 0;
    let length: number | undefined;
    for await (const units of layers) {
      length ??= units.length;
      if (layer === shape.layers || units.length !== length) throw this.foreign(layer, `${units.length} units`);
      this.importLayer(layer, units);
      layer += 1;
    }
    if (layer !== shape.layers) throw this.foreign(layer, '0 units');
    this.change(() => {
      this.binding.resume(this.engine, length ?? 0, nextTokenIndex);
    });
  }

  keptUnits(): KeptUnits {
    const { layers, kvHeads } = this.description.shape;
    const all = new Int32Array(layers * kvHeads * this.state.length);
    guardCuda(() => {
      this.binding.tokenIndices(this.engine, all);
    });
    return countKeptUnits([all]);
  }

  stats(): Omit<EngineStats, 'seconds'> {
    const { length, evictions: times } = this.state;
    const { cacheBytes, weightBytes, headBytes } = this.planned;
    return {
      length,
      nextTokenIndex: this.tokenIndex,
      evictions: times,
      cacheBytes,
      weightBytes: weightBytes + headBytes,
    };
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
    this.tokenIndex = this.state.nextTokenIndex;
    this.areCopied = false;
  }

  private passNow({ tokens, logits, eviction, observeFrom, detail, favoured }: DecoderPass): DecoderPassResult {
    const before = this.state.length;
    const { shape, plan } = this.description;
    const rows = { none: 0, last: 1, all: tokens.length }[logits];
    const logitRows = new Float32Array(rows * shape.vocabulary);
    const added = { before, count: tokens.length, withScores: this.withScores };
    const arrays = detail ? decisionArrays(shape, limitsOf(plan, eviction), added) : undefined;
    let times;
    try {
      times = guardCuda(() =>
        this.binding.pass(
          this.engine,
          tokens,
          this.tokenIndex,
          evictions[eviction],
          wantedLogits[logits],
          rows === 0 ? null : logitRows,
          observeFrom ?? tokens.length,
          arrays?.ranks ?? null,
          this.withScores ? (arrays?.scores ?? null) : null,
          arrays?.tokenIndices ?? null,
          arrays?.kept ?? null,
          favoured === undefined ? null : Float32Array.from(favoured, (isFavoured) => isFavoured * favour),
        ),
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

  private importLayer(layer: number, { length, packed, scores, tokenIndices }: LayerCache): void {
    const units = this.description.shape.kvHeads * length;
    if (packed?.length !== this.packedBytes(length))
      throw this.foreign(layer, `${packed?.length ?? 0} bytes of keys and values`);
    if (scores.length !== (this.withScores ? units : 0)) throw this.foreign(layer, `${scores.length} scores`);
    if (tokenIndices.length !== units) throw this.foreign(layer, `${tokenIndices.length} token indices`);
    if (length > this.room) throw this.foreign(layer, `${length} units`);
    this.change(() => {
      this.binding.importLayer(this.engine, layer, length, packed, scores, tokenIndices);
    });
  }

  private foreign(layer: number, found: string): LocretError {
    return new LocretError(
      'snapshot-foreign',
      `Layer ${layer} of the cache to be restored has ${found}; this model, plan and cache precision expect others.`,
      'Read the repository again with this model and these settings.',
    );
  }
}

/** The result of a call that is over at once, as a promise. */
function settled<Result>(call: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(call());
  });
}
