import type { EvictionPolicy, UnitScoring } from '../../eviction/policy.js';
import type { ModelShape } from '../../model/shape.js';
import { type AttentionGraph, AttentionObserver } from './attention-mass.js';
import type { Decoder, DecoderPass, DecoderPassResult } from '../../engine/decoder.js';
import type { DecoderSession, PassResult } from './decoder-session.js';
import { DecoderState } from './decoder-state.js';
import type {
  AttentionMass,
  CachePlan,
  EngineStats,
  KeptUnits,
  LayerCache,
  LayerDecision,
  Mark,
  TokenRange,
} from '../../engine/engine.js';
import { evictUnits, forgetTokens } from './evict-units.js';
import { countKeptUnits } from '../../engine/kept-units.js';
import { scoreUnits } from './unit-scoring.js';

/** The decoder in onnxruntime, with its retained cache in this process's memory. */
export class OnnxDecoder implements Decoder {
  private readonly state: DecoderState;
  private observer: AttentionObserver | undefined;

  constructor(
    private readonly session: DecoderSession,
    private readonly shape: ModelShape,
    private readonly plan: CachePlan,
    private readonly policy: EvictionPolicy,
    private readonly attention: AttentionGraph,
    withScores: boolean,
  ) {
    this.state = new DecoderState(session, shape, plan, withScores);
  }

  get length(): number {
    return this.state.cache.length;
  }

  get room(): number {
    return this.plan.budget === Infinity ? Infinity : this.state.cache.capacity;
  }

  get nextTokenIndex(): number {
    return this.state.nextTokenIndex;
  }

  lastLogits(): Float32Array | undefined {
    return this.state.lastLogits;
  }

  likeliest(): undefined {
    return undefined;
  }

  fit(length: number): void {
    this.state.fit(length);
  }

  skipTo(tokenIndex: number): void {
    this.state.skipTo(tokenIndex);
  }

  async pass(pass: DecoderPass): Promise<DecoderPassResult> {
    const { tokens, logits, observeFrom, favoured } = pass;
    const { vocabulary } = this.shape;
    const { scoring } = this.policy;
    const started = performance.now();
    const wantsAll = logits === 'all' || scoring?.observes === 'surprisal';
    const rows = wantsAll ? Array.from(tokens, (_, row) => row) : [tokens.length - 1];
    const queries = observeFrom !== undefined || scoring?.observes === 'queries';
    const result = await this.state.pass(tokens, { logitRows: rows, queries }, favoured);
    const modelled = performance.now();
    if (observeFrom !== undefined) {
      const rows = { begin: observeFrom, end: tokens.length };
      await this.observer?.observePass(result.queries, rows, tokens.length);
    }
    const evicting = performance.now();
    if (scoring !== undefined) await this.score(scoring, pass, result);
    const layers = this.evict(pass, result);
    return {
      // A single row lies in a tensor that the next pass writes to.
      logits: logits === 'all' && rows.length > 1 ? result.logits : result.logits.slice(-vocabulary),
      milliseconds: { model: modelled - started, eviction: performance.now() - evicting },
      layers,
    };
  }

  async step(token: number, observe: boolean): Promise<void> {
    const result = await this.state.pass(Int32Array.of(token), { logitRows: [0], queries: observe });
    if (observe) await this.observer?.observeToken(result.queries);
  }

  startObserving(reach = Infinity): void {
    this.observer = new AttentionObserver(this.attention, this.state.cache, reach);
  }

  async observed(): Promise<AttentionMass> {
    const { observer } = this;
    this.observer = undefined;
    return (await observer?.mass()) ?? { tokenIndices: new Int32Array(0), mass: new Float32Array(0) };
  }

  mark(): Mark {
    return this.state.mark();
  }

  rewind(mark: Mark): void {
    this.state.rewind(mark);
  }

  forget(ranges: readonly TokenRange[]): number {
    const dropped = forgetTokens({
      cache: this.state.cache,
      shape: this.shape,
      policy: this.policy,
      rope: this.state.rope,
      pinned: this.plan.pinned,
      ranges,
    });
    if (dropped > 0) this.state.evictions += 1;
    this.state.lastLogits = undefined;
    return dropped;
  }

  clear(): void {
    this.state.clear();
  }

  exportLayer(layer: number): LayerCache {
    return this.state.cache.export(layer);
  }

  importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    return this.state.import(layers, nextTokenIndex);
  }

  keptUnits(): KeptUnits {
    const { cache } = this.state;
    const { layers, kvHeads } = this.shape;
    const heads = Array.from({ length: layers * kvHeads }, (_, index) => {
      return cache.head(Math.floor(index / kvHeads), index % kvHeads).tokenIndices;
    });
    return countKeptUnits(heads);
  }

  stats(): Omit<EngineStats, 'seconds'> {
    const { cache, nextTokenIndex, evictions } = this.state;
    const { weightBytes } = this.session;
    return { length: cache.length, nextTokenIndex, evictions, cacheBytes: cache.bytes, weightBytes };
  }

  async dispose(): Promise<void> {
    await this.attention.dispose();
    await this.session.dispose();
  }

  /** Scores units by what the pass shows, for policies that need more than keys and retaining heads. */
  private score(scoring: UnitScoring, { tokens, eviction, patches }: DecoderPass, result: PassResult): Promise<void> {
    const { state, shape } = this;
    return scoreUnits({ scoring, state, shape, tokens, result, patches, scoresOld: eviction !== 'none' });
  }

  private evict({ tokens, eviction, detail }: DecoderPass, result: PassResult): LayerDecision[] | undefined {
    const { budget, pinned, stabilizers } = this.plan;
    const evicts = eviction !== 'none' && this.length > budget;
    if (!evicts && !detail) return undefined;
    const exempt = { pinned, stabilizers: eviction === 'between-chunks' ? stabilizers : 0 };
    const decisions = evictUnits({
      cache: this.state.cache,
      shape: this.shape,
      policy: this.policy,
      rope: this.state.rope,
      added: tokens.length,
      exempt: eviction === 'none' ? undefined : exempt,
      detail: detail ? result.units : undefined,
    });
    if (evicts) this.state.evictions += 1;
    return decisions;
  }
}
