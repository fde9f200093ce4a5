import type { Decoder, DecoderPass, DecoderPassResult } from '../../engine/decoder.js';
import type {
  AttentionMass,
  CachePlan,
  EngineStats,
  LayerCache,
  LayerDecision,
  Mark,
  TokenRange,
} from '../../engine/engine.js';
import type { EvictionPolicy, ScoredPass } from '../../eviction/policy.js';
import type { ModelShape } from '../../model/shape.js';
import { type AttentionGraph, AttentionObserver } from './attention-mass.js';
import type { DecoderSession, PassResult } from './decoder-session.js';
import { DecoderState } from './decoder-state.js';
import { evictUnits, forgetTokens } from './evict-units.js';

/** The decoder in onnxruntime on the processor, with its retained cache in this process's memory. */
export class ProcessorDecoder implements Decoder {
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

  async pass(pass: DecoderPass): Promise<DecoderPassResult> {
    const { tokens, logits, observeFrom, structure } = pass;
    const { vocabulary } = this.shape;
    const { scoring } = this.policy;
    const started = performance.now();
    const wantsAll = logits === 'all' || scoring?.wants.logits === true;
    const logitRows = wantsAll ? Array.from(tokens, (_, row) => row) : [tokens.length - 1];
    const queries = observeFrom !== undefined || scoring?.wants.queries === true;
    this.state.nextTokenIndex = pass.firstTokenIndex;
    const result = await this.state.pass({ tokens, logitRows, queries }, structure);
    const modelled = performance.now();
    if (observeFrom !== undefined) {
      const rows = { begin: observeFrom, end: tokens.length };
      await this.observer?.observePass(result.queries, rows, tokens.length);
    }
    const evicting = performance.now();
    await scoring?.score(this.scoredPass(pass, result));
    const layers = this.evict(pass, result);
    return {
      // A single row lies in a tensor that the next pass writes to.
      logits: logits === 'all' && logitRows.length > 1 ? result.logits : result.logits.slice(-vocabulary),
      milliseconds: { model: modelled - started, eviction: performance.now() - evicting },
      layers,
    };
  }

  async step(token: number, observe: boolean): Promise<void> {
    const result = await this.state.pass({ tokens: Int32Array.of(token), logitRows: [0], queries: observe });
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
      ropes: this.state.ropes,
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

  importLayer(layer: number, units: LayerCache): void {
    this.state.importLayer(layer, units);
  }

  resume(nextSlot: number, nextTokenIndex: number): void {
    this.state.resume(nextSlot, nextTokenIndex);
  }

  tokenIndices(): readonly Int32Array[] {
    const { cache } = this.state;
    const { layers, kvHeads } = this.shape;
    return Array.from(
      { length: layers.length * kvHeads },
      (_, index) => cache.head(Math.floor(index / kvHeads), index % kvHeads).tokenIndices,
    );
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

  /** What a policy scores units by that needs more than keys and retaining heads. */
  private scoredPass({ tokens, eviction }: DecoderPass, { queries, logits }: PassResult): ScoredPass {
    const { state, shape } = this;
    return {
      shape: { ...shape, layers: shape.layers.length },
      tokens,
      queries,
      logits,
      nextSlot: state.cache.nextSlot,
      rotation: (layer) => state.ropes.of(layer),
      evicts: eviction !== 'none',
      units: (layer, kvHead) => state.cache.head(layer, kvHead),
      readBehind: (others, use) => state.readBehind(others, use),
    };
  }

  private evict({ tokens, eviction, detail }: DecoderPass, result: PassResult): LayerDecision[] | undefined {
    const { budget, pinned, stabilizers } = this.plan;
    const evicts = eviction !== 'none' && this.length > budget;
    if (!evicts && !detail) return undefined;
    const exempt = { pinned, stabilizers: eviction === 'between-chunks' ? stabilizers : 0 };
    const { decisions } = evictUnits({
      cache: this.state.cache,
      shape: this.shape,
      policy: this.policy,
      ropes: this.state.ropes,
      added: tokens.length,
      exempt: eviction === 'none' ? undefined : exempt,
      detail: detail ? result.units : undefined,
      takesOut: false,
    });
    if (evicts) this.state.evictions += 1;
    return decisions;
  }
}
