import { createHash } from 'node:crypto';
import { LocretError, throwIfCancelled } from '../errors.js';
import { policyByName } from '../memory/policies/policy-by-name.js';
import type { EvictionPolicy } from '../memory/policies/policy.js';
import type { Checkpoint, RetainingHeads } from '../model/checkpoint.js';
import { openCheckpoint } from '../model/open-checkpoint.js';
import { openRetainingHeads } from '../model/retaining-heads.js';
import type { ModelShape } from '../model/shape.js';
import { AttentionObserver } from './attention-mass.js';
import { equalLengthsOf } from './budgets.js';
import { CallQueue } from './call-queue.js';
import { DecoderSession } from './decoder-session.js';
import { DecoderState } from './decoder-state.js';
import type {
  CachePlan,
  Engine,
  EngineDescription,
  EngineOptions,
  EngineStats,
  Eviction,
  ExtendOptions,
  ExtendResult,
  GenerateOptions,
  GenerateResult,
  KeptUnits,
  LayerCache,
  Mark,
  TokenRange,
} from './engine.js';
import { evictUnits, forgetTokens } from './evict-units.js';
import { joinRows } from './join-rows.js';
import { countKeptUnits } from './kept-units.js';
import { createSampler } from './sampling.js';
import { scoreUnits } from './unit-scoring.js';

/** Changes whenever the same weights and tokens may give other numbers than before. */
const numericsVersion = 'onnxruntime-1.30 numerics-1';

function checkPlan({ budget, chunk, stabilizers, pinned, capacity, uneven }: CachePlan): void {
  const whole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  const expectations: readonly (readonly [holds: boolean, text: string])[] = [
    [budget === Infinity || whole(budget, 1), `a budget of at least 1, not ${budget}`],
    [whole(chunk, 1), `a chunk of at least 1 token, not ${chunk}`],
    [whole(stabilizers, 0) && whole(pinned, 0), `stabilizers and pinned units of at least 0`],
    [
      stabilizers + pinned <= budget,
      `at most ${budget} stabilizers and pinned units together, not ${stabilizers + pinned}`,
    ],
    [whole(capacity, 1), `a capacity of at least 1, not ${capacity}`],
    [
      uneven === undefined || (budget !== Infinity && whole(uneven.longest, budget)),
      `a finite budget and a longest KV head of at least that, not ${budget} and ${uneven?.longest}`,
    ],
    [budget === Infinity || capacity >= budget, `a capacity of at least the budget, ${budget}, not ${capacity}`],
  ];
  for (const [holds, text] of expectations) {
    if (!holds) throw new LocretError('invalid-argument', `The cache plan needs ${text}.`, 'Choose other sizes.');
  }
}

function fingerprintOf(checkpoint: Checkpoint, heads: RetainingHeads | undefined, options: EngineOptions): string {
  const { precision, policy, plan } = options;
  const parts = [numericsVersion, checkpoint.fingerprint, heads?.fingerprint ?? '', precision, policy];
  const uneven = plan.uneven === undefined ? [] : [plan.uneven.allocation];
  return createHash('sha256')
    .update([...parts, ...uneven].join('\n'))
    .digest('hex');
}

/** Puts the retained cache and the decoder together; see {@link Engine} for what each call promises. */
class OnnxEngine implements Engine {
  private readonly queue = new CallQueue();
  private readonly shape: ModelShape;
  private readonly state: DecoderState;
  private readonly seconds = { model: 0, eviction: 0 };
  private failure: LocretError | undefined;

  constructor(
    readonly description: EngineDescription,
    private readonly session: DecoderSession,
    private readonly policy: EvictionPolicy,
    withScores: boolean,
  ) {
    const { shape, plan } = description;
    this.shape = shape;
    this.state = new DecoderState(session, shape, plan, withScores);
  }

  async extend(tokens: readonly number[] | Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    return this.exclusively('Reading tokens', () => this.extendNow(Int32Array.from(tokens), options), options.signal);
  }

  async generate(options: GenerateOptions): Promise<GenerateResult> {
    return this.exclusively('Generating', () => this.generateNow(options), options.signal);
  }

  async mark(): Promise<Mark> {
    return this.exclusively('Marking', () => this.state.mark());
  }

  async rewind(mark: Mark): Promise<void> {
    return this.exclusively('Rewinding', () => {
      this.state.rewind(mark);
    });
  }

  async forget(ranges: readonly TokenRange[]): Promise<number> {
    return this.exclusively('Forgetting', () => {
      const dropped = forgetTokens({
        cache: this.state.cache,
        shape: this.shape,
        policy: this.policy,
        rope: this.state.rope,
        pinned: this.description.plan.pinned,
        ranges,
      });
      if (dropped > 0) this.state.evictions += 1;
      this.state.lastLogits = undefined;
      return dropped;
    });
  }

  async reset(): Promise<void> {
    return this.exclusively('Emptying the cache', () => {
      this.state.clear();
    });
  }

  async exportLayer(layer: number): Promise<LayerCache> {
    return this.exclusively('Copying the cache', () => this.state.cache.export(layer));
  }

  async importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    return this.exclusively('Restoring the cache', () => this.state.import(layers, nextTokenIndex));
  }

  async keptUnits(): Promise<KeptUnits> {
    return this.exclusively('Counting kept units', () => countKeptUnits(this.state.cache, this.shape));
  }

  async stats(): Promise<EngineStats> {
    return this.exclusively('Reading statistics', () => ({
      length: this.state.cache.length,
      nextTokenIndex: this.state.nextTokenIndex,
      evictions: this.state.evictions,
      cacheBytes: this.state.cache.bytes,
      weightBytes: this.session.weightBytes,
      seconds: { ...this.seconds },
    }));
  }

  async dispose(): Promise<void> {
    await this.queue.run('Closing', () => this.session.dispose());
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
    const { evict, logits = 'none', observe = 0, patches = [], signal } = options;
    const { chunk } = this.description.plan;
    this.checkTokens(tokens);
    this.checkPatches(patches, evict);
    if (evict === 'none') this.state.fit(this.state.cache.length + tokens.length);
    if (options.firstTokenIndex !== undefined) this.state.skipTo(options.firstTokenIndex);
    const rows: Float32Array[] = [];
    const observer = observe > 0 ? new AttentionObserver(this.shape, this.state.cache) : undefined;
    const firstObserved = tokens.length - observe;
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      throwIfCancelled(signal, 'Reading tokens');
      const end = Math.min(tokens.length, begin + chunk);
      const last = end === tokens.length;
      const observing = end > firstObserved ? observer : undefined;
      const result = await this.passWithEviction(tokens.subarray(begin, end), {
        eviction: evict === 'final' && !last ? 'between-chunks' : evict,
        allLogits: logits === 'all',
        observing: observing && { observer: observing, from: Math.max(0, firstObserved - begin) },
        options,
      });
      // A single row lies in a tensor that the next pass writes to.
      if (logits === 'all' || (logits === 'last' && last))
        rows.push(result.length === this.shape.vocabulary ? result.slice() : result);
    }
    return {
      logits: joinRows(rows),
      ...(observer === undefined || tokens.length === 0 ? {} : { attention: observer.mass() }),
    };
  }

  /** Reads one chunk, evicts, and reports. Returns its logits. */
  private async passWithEviction(
    tokens: Int32Array,
    pass: {
      readonly eviction: Eviction;
      readonly allLogits: boolean;
      readonly observing: { readonly observer: AttentionObserver; readonly from: number } | undefined;
      readonly options: ExtendOptions;
    },
  ): Promise<Float32Array> {
    const { observing, options } = pass;
    const { plan } = this.description;
    const begin = this.state.nextTokenIndex;
    const started = performance.now();
    const { scoring } = this.policy;
    const wantsRows = pass.allLogits || scoring?.observes === 'surprisal';
    const rows = wantsRows ? Array.from(tokens, (_, row) => row) : [tokens.length - 1];
    const wantsQueries = observing !== undefined || scoring?.observes === 'queries';
    const result = await this.state.pass(tokens, rows, wantsQueries);
    const modelled = performance.now();
    observing?.observer.observe(
      (layer) => result.queries[layer] ?? new Float32Array(0),
      { begin: observing.from, end: tokens.length },
      tokens.length,
    );
    const evicting = performance.now();
    if (scoring !== undefined) {
      await scoreUnits({
        scoring,
        state: this.state,
        shape: this.shape,
        tokens,
        result,
        patches: options.patches ?? [],
        scoresOld: pass.eviction !== 'none',
      });
    }
    const exempt = { pinned: plan.pinned, stabilizers: pass.eviction === 'between-chunks' ? plan.stabilizers : 0 };
    const evicts = pass.eviction !== 'none' && this.state.cache.length > plan.budget;
    const decisions =
      evicts || options.detail === true
        ? evictUnits({
            cache: this.state.cache,
            shape: this.shape,
            policy: this.policy,
            rope: this.state.rope,
            added: tokens.length,
            exempt: pass.eviction === 'none' ? undefined : exempt,
            detail: options.detail === true ? result.units : undefined,
          })
        : undefined;
    if (evicts) this.state.evictions += 1;
    const eviction = performance.now() - evicting;
    this.seconds.model += (modelled - started) / 1000;
    this.seconds.eviction += eviction / 1000;
    options.onChunk?.({
      begin,
      end: this.state.nextTokenIndex,
      length: this.state.cache.length,
      milliseconds: { model: modelled - started, eviction },
      ...(options.detail === true && decisions !== undefined ? { layers: decisions } : {}),
    });
    return pass.allLogits ? result.logits : result.logits.subarray(-this.shape.vocabulary);
  }

  /** Patches are for policies that observe them, and those need them in order to evict. */
  private checkPatches(patches: NonNullable<ExtendOptions['patches']>, evict: Eviction): void {
    for (const { tokens } of patches) this.checkTokens(Int32Array.from(tokens));
    const observes = this.policy.scoring?.observes === 'patches';
    const isEmpty = patches.length === 0 || patches.some(({ tokens, observe }) => tokens.length < 1 || observe < 1);
    if (observes ? evict === 'none' || !isEmpty : patches.length === 0) return;
    throw new LocretError(
      'invalid-argument',
      observes
        ? `The policy "${this.policy.name}" scores units by patches, and got ${patches.length}, some of them empty or none.`
        : `The policy "${this.policy.name}" does not look at patches, and got ${patches.length}.`,
      'Give the questions as patches to a policy that knows them beforehand, and to no other.',
    );
  }

  private checkTokens(tokens: Int32Array): void {
    const { vocabulary } = this.shape;
    const foreign = tokens.find((token) => token < 0 || token >= vocabulary);
    if (foreign === undefined) return;
    throw new LocretError(
      'invalid-argument',
      `Token ${foreign} is not one of the model's ${vocabulary}.`,
      'Use tokens of the tokenizer that belongs to this model.',
    );
  }

  private async generateNow(options: GenerateOptions): Promise<GenerateResult> {
    const { maxTokens, sampling, stopTokens, penalized = [], signal } = options;
    const sampler = createSampler(sampling, penalized);
    const observer = options.observe === true ? new AttentionObserver(this.shape, this.state.cache) : undefined;
    let read = 0;
    const room = this.description.plan.budget === Infinity ? Infinity : this.state.cache.capacity;
    const tokens: number[] = [];
    const rows: Float32Array[] = [];
    let end: GenerateResult['end'] = 'token-limit';
    while (tokens.length < maxTokens) {
      throwIfCancelled(signal, 'Generating');
      if (this.state.lastLogits === undefined) {
        throw new LocretError(
          'invalid-argument',
          'There is nothing to continue: no token was read since the cache was emptied, restored or rewound.',
          'Read the prompt first.',
        );
      }
      const token = sampler.choose(this.state.lastLogits);
      if (stopTokens.includes(token)) {
        end = 'stop-token';
        break;
      }
      tokens.push(token);
      if (options.logits === true) rows.push(this.state.lastLogits.slice());
      if (options.onToken?.(token) === false) {
        end = 'stopped';
        break;
      }
      if (tokens.length === maxTokens) break;
      if (this.state.cache.length >= room) {
        end = 'capacity';
        break;
      }
      const started = performance.now();
      const { queries } = await this.state.pass(Int32Array.of(token), [0], observer !== undefined);
      this.seconds.model += (performance.now() - started) / 1000;
      read += 1;
      observer?.observe((layer) => queries[layer] ?? new Float32Array(0), { begin: 0, end: 1 }, 1, read);
    }
    return {
      tokens,
      end,
      ...(observer !== undefined && tokens.length > 1 ? { attention: observer.mass() } : {}),
      ...(options.logits === true ? { logits: joinRows(rows) } : {}),
    };
  }
}

/**
 * Loads a model into onnxruntime on the CPU. It runs on the thread that calls; `openEngine` puts it into a worker.
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, heads-corrupt, invalid-argument (a policy that
 * needs heads without heads, a plan that does not add up), disk-full, engine-failed
 */
export async function createOnnxEngine(options: EngineOptions): Promise<Engine> {
  const { plan, precision, threads, cacheFolder } = options;
  checkPlan(plan);
  const policy = policyByName(options.policy);
  const checkpoint = openCheckpoint(options.model);
  try {
    const { shape } = checkpoint;
    // A policy that scores units itself has no use for the heads' scores.
    const headsFile = policy.scoring === undefined ? options.heads : undefined;
    const heads = headsFile === undefined ? undefined : openRetainingHeads(headsFile, shape);
    if (policy.needsRetainingHeads && heads === undefined) {
      throw new LocretError(
        'invalid-argument',
        `The policy "${policy.name}" needs retaining heads, and none were given.`,
        'Give the retaining heads of this model, or choose a policy that needs none.',
      );
    }
    const session = await DecoderSession.open({
      checkpoint,
      heads,
      precision,
      threads,
      chunk: plan.chunk,
      cacheFolder,
      equalLengths: equalLengthsOf(plan),
    });
    const description: EngineDescription = {
      backend: 'onnx',
      shape,
      plan,
      policy: policy.name,
      precision,
      fingerprint: fingerprintOf(checkpoint, heads, options),
      threads,
    };
    return new OnnxEngine(description, session, policy, heads !== undefined || policy.scoring !== undefined);
  } finally {
    checkpoint.close();
  }
}
