import { LocretError, throwIfCancelled } from '../errors.js';
import { policyByName } from '../eviction/policy-by-name.js';
import type { Decoder } from './decoder.js';
import type {
  Engine,
  EngineDescription,
  EngineStats,
  ExtendOptions,
  ExtendResult,
  GenerateOptions,
  GenerateResult,
  KeptUnits,
  LayerCache,
  Mark,
  TokenRange,
} from './engine.js';
import { foreignLayer } from './foreign-layer.js';
import { generate } from './generate.js';
import { joinRows } from './join-rows.js';
import { countKeptUnits } from './kept-units.js';

/**
 * Reads in chunks and generates with a decoder, whatever it runs on; see {@link Engine} for what each call promises. Calls
 * must not overlap: `openEngine` has the queue that sees to it.
 */
export class DecoderEngine implements Engine {
  private readonly seconds = { model: 0, eviction: 0 };
  private isRunning = false;
  private failure: LocretError | undefined;

  constructor(
    readonly description: EngineDescription,
    private readonly decoder: Decoder,
  ) {}

  extend(tokens: readonly number[] | Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    return this.alone(() => this.read(Int32Array.from(tokens), options));
  }

  generate(options: GenerateOptions): Promise<GenerateResult> {
    return this.alone(() =>
      generate(this.decoder, options, (seconds) => {
        this.seconds.model += seconds;
      }),
    );
  }

  mark(): Promise<Mark> {
    return this.alone(() => this.decoder.mark());
  }

  rewind(mark: Mark): Promise<void> {
    return this.alone(() => {
      this.decoder.rewind(mark);
    });
  }

  forget(ranges: readonly TokenRange[]): Promise<number> {
    return this.alone(() => this.decoder.forget(ranges));
  }

  reset(): Promise<void> {
    return this.alone(() => {
      this.decoder.clear();
    });
  }

  exportLayer(layer: number): Promise<LayerCache> {
    return this.alone(() => this.decoder.exportLayer(layer));
  }

  importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    return this.alone(() => this.restore(layers, nextTokenIndex));
  }

  keptUnits(): Promise<KeptUnits> {
    return this.alone(() => countKeptUnits(this.decoder.tokenIndices()));
  }

  stats(): Promise<EngineStats> {
    return this.alone(() => ({ ...this.decoder.stats(), seconds: { ...this.seconds } }));
  }

  dispose(): Promise<void> {
    return this.decoder.dispose();
  }

  /** Runs one call; after an error of the backend none any more. */
  private async alone<Answer>(task: () => Answer | Promise<Answer>): Promise<Answer> {
    if (this.failure !== undefined) throw this.failure;
    if (this.isRunning) throw new RangeError('two calls of an engine overlap');
    this.isRunning = true;
    try {
      const answer = task();
      return answer instanceof Promise ? await answer : answer;
    } catch (error) {
      if (error instanceof LocretError && error.code === 'engine-failed') this.failure = error;
      throw error;
    } finally {
      this.isRunning = false;
    }
  }

  private async read(tokens: Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    const { evict, logits = 'none', observe = 0, structure, signal } = options;
    const { decoder } = this;
    const { chunk } = this.description.plan;
    this.checkTokens(tokens);
    if (structure !== undefined) this.checkStructure(structure, tokens.length);
    if (evict === 'none') this.checkRoom(tokens.length);
    let firstTokenIndex = this.firstIndex(options);
    if (observe > 0) decoder.startObserving();
    const rows: Float32Array[] = [];
    const firstObserved = tokens.length - observe;
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      throwIfCancelled(signal, 'Reading tokens');
      const end = Math.min(tokens.length, begin + chunk);
      const last = end === tokens.length;
      this.checkRoom(end - begin);
      const result = await decoder.pass({
        tokens: tokens.subarray(begin, end),
        firstTokenIndex,
        logits: logits === 'all' ? 'all' : last ? 'last' : 'none',
        eviction: evict === 'final' && !last ? 'between-chunks' : evict,
        observeFrom: observe > 0 && end > firstObserved ? Math.max(0, firstObserved - begin) : undefined,
        detail: options.detail === true,
        structure: structure?.subarray(begin, end),
      });
      if (logits !== 'none') rows.push(result.logits);
      this.seconds.model += result.milliseconds.model / 1000;
      this.seconds.eviction += result.milliseconds.eviction / 1000;
      options.onChunk?.({
        begin: firstTokenIndex,
        end: decoder.nextTokenIndex,
        length: decoder.length,
        milliseconds: result.milliseconds,
        ...(result.layers === undefined ? {} : { layers: result.layers }),
      });
      firstTokenIndex = decoder.nextTokenIndex;
    }
    return {
      logits: joinRows(rows),
      ...(observe === 0 || tokens.length === 0 ? {} : { attention: await decoder.observed() }),
    };
  }

  private firstIndex({ firstTokenIndex }: ExtendOptions): number {
    const next = this.decoder.nextTokenIndex;
    if (firstTokenIndex === undefined) return next;
    if (Number.isSafeInteger(firstTokenIndex) && firstTokenIndex >= next && firstTokenIndex < 2 ** 31)
      return firstTokenIndex;
    throw new LocretError(
      'invalid-argument',
      `The first token index is ${firstTokenIndex}, which is not behind the last one, ${next - 1}.`,
      'Give ascending token indices.',
    );
  }

  private checkRoom(added: number): void {
    const { length, room } = this.decoder;
    if (length + added <= room) return;
    throw new LocretError(
      'invalid-argument',
      `The cache holds ${room} units per KV head; ${length + added} would be needed.`,
      'Read fewer tokens at once, or plan a larger capacity.',
    );
  }

  private checkStructure(structure: Uint8Array, tokens: number): void {
    const { policy } = this.description;
    const needsHeads = policyByName(policy).needsRetainingHeads;
    if (needsHeads && structure.length === tokens) return;
    throw new LocretError(
      'invalid-argument',
      needsHeads
        ? `For ${tokens} tokens it is told of ${structure.length} whether their units stay before others.`
        : `The policy "${policy}" keeps no units before others: it does not read retaining heads' scores.`,
      'Give one number per token, to the policy "locret" only.',
    );
  }

  private checkTokens(tokens: Int32Array): void {
    const { vocabulary } = this.description.shape;
    const foreign = tokens.find((token) => token < 0 || token >= vocabulary);
    if (foreign === undefined) return;
    throw new LocretError(
      'invalid-argument',
      `Token ${foreign} is not one of the model's ${vocabulary}.`,
      'Use tokens of the tokenizer that belongs to this model.',
    );
  }

  /** Replaces the cache; when that fails it is empty. */
  private async restore(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    const { decoder } = this;
    decoder.clear();
    try {
      decoder.resume(await this.importAll(layers), nextTokenIndex);
    } catch (error) {
      decoder.clear();
      throw error;
    }
  }

  /** Imports layer by layer; returns the slot behind their units. */
  private async importAll(layers: AsyncIterable<LayerCache>): Promise<number> {
    const { shape } = this.description;
    let layer = 0;
    let nextSlot: number | undefined;
    for await (const units of layers) {
      const slot = units.nextSlot ?? units.length;
      nextSlot ??= slot;
      if (layer === shape.layers.length) throw foreignLayer(layer, 'units', `${shape.layers.length} layers`);
      if (slot !== nextSlot) throw foreignLayer(layer, `its end in slot ${slot}`, `slot ${nextSlot}`);
      this.decoder.importLayer(layer, units);
      layer += 1;
    }
    if (layer !== shape.layers.length) throw foreignLayer(layer, 'no units', `${shape.layers.length} layers`);
    return nextSlot ?? 0;
  }
}
