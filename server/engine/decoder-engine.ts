import { LocretError, throwIfCancelled } from '../errors.js';
import { policyByName } from '../eviction/policy-by-name.js';
import { CallQueue } from './call-queue.js';
import type { Decoder } from './decoder.js';
import type {
  Engine,
  EngineDescription,
  EngineStats,
  Eviction,
  ExtendOptions,
  ExtendResult,
  GenerateOptions,
  GenerateResult,
  KeptUnits,
  LayerCache,
  Mark,
  Patch,
  TokenRange,
} from './engine.js';
import { joinRows } from './join-rows.js';
import { createSampler } from './sampling.js';

/** Reads in chunks and generates with a decoder, whatever it runs on; see {@link Engine} for what each call promises. */
export class DecoderEngine implements Engine {
  private readonly queue = new CallQueue();
  private readonly seconds = { model: 0, eviction: 0 };
  private failure: LocretError | undefined;

  constructor(
    readonly description: EngineDescription,
    private readonly decoder: Decoder,
  ) {}

  async extend(tokens: readonly number[] | Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    return this.exclusively('Reading tokens', () => this.extendNow(Int32Array.from(tokens), options), options.signal);
  }

  async generate(options: GenerateOptions): Promise<GenerateResult> {
    return this.exclusively('Generating', () => this.generateNow(options), options.signal);
  }

  async mark(): Promise<Mark> {
    return this.exclusively('Marking', () => this.decoder.mark());
  }

  async rewind(mark: Mark): Promise<void> {
    return this.exclusively('Rewinding', () => {
      this.decoder.rewind(mark);
    });
  }

  async forget(ranges: readonly TokenRange[]): Promise<number> {
    return this.exclusively('Forgetting', () => this.decoder.forget(ranges));
  }

  async reset(): Promise<void> {
    return this.exclusively('Emptying the cache', () => {
      this.decoder.clear();
    });
  }

  async exportLayer(layer: number): Promise<LayerCache> {
    return this.exclusively('Copying the cache', () => this.decoder.exportLayer(layer));
  }

  async importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    return this.exclusively('Restoring the cache', () => this.decoder.importLayers(layers, nextTokenIndex));
  }

  async keptUnits(): Promise<KeptUnits> {
    return this.exclusively('Counting kept units', () => this.decoder.keptUnits());
  }

  async stats(): Promise<EngineStats> {
    return this.exclusively('Reading statistics', () => ({ ...this.decoder.stats(), seconds: { ...this.seconds } }));
  }

  async dispose(): Promise<void> {
    await this.queue.run('Closing', () => this.decoder.dispose());
  }

  /** Runs one call at a time; after an error of the backend none any more. */
  private exclusively<Result>(
    operation: string,
    task: () => Result | Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    return this.queue.run(
      operation,
      async () => {
        if (this.failure !== undefined) throw this.failure;
        try {
          return await task();
        } catch (error) {
          if (error instanceof LocretError && error.code === 'engine-failed') this.failure = error;
          throw error;
        }
      },
      signal,
    );
  }

  private async extendNow(tokens: Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    const { evict, logits = 'none', observe = 0, patches = [], favoured, signal } = options;
    const { decoder } = this;
    const { chunk } = this.description.plan;
    this.checkTokens(tokens);
    this.checkPatches(patches, evict);
    if (favoured !== undefined) this.checkFavoured(favoured, tokens.length);
    if (evict === 'none') decoder.fit(decoder.length + tokens.length);
    if (options.firstTokenIndex !== undefined) decoder.skipTo(options.firstTokenIndex);
    if (observe > 0) decoder.startObserving();
    const rows: Float32Array[] = [];
    const firstObserved = tokens.length - observe;
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      throwIfCancelled(signal, 'Reading tokens');
      const end = Math.min(tokens.length, begin + chunk);
      const last = end === tokens.length;
      const firstTokenIndex = decoder.nextTokenIndex;
      const result = await decoder.pass({
        tokens: tokens.subarray(begin, end),
        logits: logits === 'all' ? 'all' : last ? 'last' : 'none',
        eviction: evict === 'final' && !last ? 'between-chunks' : evict,
        observeFrom: observe > 0 && end > firstObserved ? Math.max(0, firstObserved - begin) : undefined,
        detail: options.detail === true,
        favoured: favoured?.subarray(begin, end),
        patches,
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
    }
    return {
      logits: joinRows(rows),
      ...(observe === 0 || tokens.length === 0 ? {} : { attention: await decoder.observed() }),
    };
  }

  /** Patches are for policies that observe them, and those need them in order to evict. */
  private checkPatches(patches: readonly Patch[], evict: Eviction): void {
    for (const { tokens } of patches) this.checkTokens(Int32Array.from(tokens));
    const { policy } = this.description;
    const observes = policyByName(policy).scoring?.observes === 'patches';
    const isEmpty = patches.length === 0 || patches.some(({ tokens, observe }) => tokens.length < 1 || observe < 1);
    if (observes ? evict === 'none' || !isEmpty : patches.length === 0) return;
    throw new LocretError(
      'invalid-argument',
      observes
        ? `The policy "${policy}" scores units by patches, and got ${patches.length}, some of them empty or none.`
        : `The policy "${policy}" does not look at patches, and got ${patches.length}.`,
      'Give the questions as patches to a policy that knows them beforehand, and to no other.',
    );
  }

  private checkFavoured(favoured: Uint8Array, tokens: number): void {
    const { policy } = this.description;
    const needsHeads = policyByName(policy).needsRetainingHeads;
    if (needsHeads && favoured.length === tokens) return;
    throw new LocretError(
      'invalid-argument',
      needsHeads
        ? `For ${tokens} tokens it is told of ${favoured.length} whether their units stay before others.`
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

  /** Chooses the token after the last one. */
  private chooser({ sampling, penalized = [] }: GenerateOptions): () => number {
    const sampler = createSampler(sampling, penalized);
    const isArgmax = sampling.temperature === 0 && sampling.repetitionPenalty === 1;
    return () => {
      const likeliest = isArgmax ? this.decoder.likeliest() : undefined;
      return likeliest ?? sampler.choose(this.lastLogits());
    };
  }

  private lastLogits(): Float32Array {
    const logits = this.decoder.lastLogits();
    if (logits !== undefined) return logits;
    throw new LocretError(
      'invalid-argument',
      'There is nothing to continue: no token was read since the cache was emptied, restored or rewound.',
      'Read the prompt first.',
    );
  }

  private async generateNow(options: GenerateOptions): Promise<GenerateResult> {
    const { maxTokens, stopTokens, observe = false, signal } = options;
    const { decoder } = this;
    const choose = this.chooser(options);
    if (observe) decoder.startObserving(decoder.length);
    const tokens: number[] = [];
    const rows: Float32Array[] = [];
    let end: GenerateResult['end'] = 'token-limit';
    while (tokens.length < maxTokens) {
      throwIfCancelled(signal, 'Generating');
      const token = choose();
      if (stopTokens.includes(token)) {
        end = 'stop-token';
        break;
      }
      tokens.push(token);
      if (options.logits === true) rows.push(this.lastLogits().slice());
      if (options.onToken?.(token) === false) {
        end = 'stopped';
        break;
      }
      if (tokens.length === maxTokens) break;
      if (decoder.length >= decoder.room) {
        end = 'capacity';
        break;
      }
      const started = performance.now();
      await decoder.step(token, observe);
      this.seconds.model += (performance.now() - started) / 1000;
    }
    return {
      tokens,
      end,
      ...(observe && tokens.length > 1 ? { attention: await decoder.observed() } : {}),
      ...(options.logits === true ? { logits: joinRows(rows) } : {}),
    };
  }
}
