import type { WeightPrecision } from '../contract/words.js';
import type { CachePlan } from '../eviction/cache-plan.js';
import type { PolicyName } from '../eviction/policy.js';
import type { ModelShape } from '../model/shape.js';

export type { CachePlan };

/** Where a model runs, and what only that backend understands. It crosses to the engine's thread as it is. */
export interface ChosenBackend {
  /** One of `backends` in server/backends/index.ts. */
  readonly name: string;
  readonly options: unknown;
}

export interface EngineOptions {
  /** Model folder in the Hugging Face layout. */
  readonly model: string;
  /** Retaining heads, a safetensors file; without it only policies that need no heads can be used. */
  readonly heads?: string;
  readonly policy: PolicyName;
  readonly precision: WeightPrecision;
  readonly plan: CachePlan;
  readonly threads: number;
  /** Folder for packed weights, so that the second start is quick. */
  readonly cacheFolder: string;
  /** Absent: the processor. */
  readonly backend?: ChosenBackend;
}

/** What an engine runs; fixed while it lives. */
export interface EngineDescription {
  /** Its backend's name. */
  readonly backend: string;
  readonly shape: ModelShape;
  readonly plan: CachePlan;
  readonly policy: PolicyName;
  readonly precision: WeightPrecision;
  /** Identity of everything the cache's numbers depend on: weights, heads, precision, policy, backend and its version. */
  readonly fingerprint: string;
  readonly threads: number;
}

export type Eviction =
  /** After each chunk; the newest units are exempt (more tokens follow). */
  | 'between-chunks'
  /** As above, but after the last chunk nothing is exempt: the cache ends with the pure top-b (Algorithm 1 of the paper). */
  | 'final'
  /** Tokens are appended, nothing leaves. The capacity must suffice. */
  | 'none';

/**
 * What the scores of structure are raised by: more than scores of the same heads differ by, and little enough to leave the
 * order of those that are raised.
 */
export const structureBonus = 1024;

export interface ExtendOptions {
  readonly evict: Eviction;
  /** Which logits to return. Default none. */
  readonly logits?: 'none' | 'last' | 'all';
  /** Token index of the first token; default: one past the highest index so far. */
  readonly firstTokenIndex?: number;
  /** Return the attention that the last `observe` tokens pay to the cache units before them. */
  readonly observe?: number;
  /**
   * One number per token, 1 where it is part of what the repository is entered by: such units stay before all others, as
   * far as the budget goes. Only for policies that read retaining heads' scores: these are raised by
   * {@link structureBonus}, once.
   */
  readonly structure?: Uint8Array | undefined;
  /** Called after each chunk. With `detail`, its report carries scores and kept positions (for `locret trace`). */
  readonly onChunk?: ((report: ChunkReport) => void) | undefined;
  readonly detail?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Attention mass per token index, summed over layers, KV heads and observed queries, divided by their number (sums to 1). */
export interface AttentionMass {
  readonly tokenIndices: Int32Array;
  readonly mass: Float32Array;
}

export interface ExtendResult {
  /** float32 `[rows, vocabulary]`, rows = 1 for `last`, the number of tokens for `all`, 0 for `none`. */
  readonly logits: Float32Array;
  readonly attention?: AttentionMass;
}

/** Timings and, on request, the decisions of one prefill pass. */
export interface ChunkReport {
  /** Token indices begin..end-1 were read. */
  readonly begin: number;
  readonly end: number;
  /** Units per KV head after the pass, as in {@link EngineStats}. */
  readonly length: number;
  readonly milliseconds: { readonly model: number; readonly eviction: number };
  readonly layers?: readonly LayerDecision[];
}

/** One layer's decisions in one pass; per KV head lists. */
export interface LayerDecision {
  readonly lengthBeforeEviction: number;
  /** Raw scores of the chunk's tokens; empty lists without retaining heads. */
  readonly chunkScores: readonly Float32Array[];
  /** Compact indices (slot in [kept, new]) that were kept, ascending. */
  readonly keptSlots: readonly Int32Array[];
  /** Token indices of the kept units, ascending. */
  readonly keptTokens: readonly Int32Array[];
  /** What the units were ranked by (never the stabilizers' marker). */
  readonly keptRanks: readonly Float32Array[];
  /** Smallest kept minus largest evicted rank among units that were not exempt; Infinity when nothing was evicted. */
  readonly evictionMargin: readonly number[];
}

/** How the next token is chosen. Temperature 0 is greedy. */
export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  /** 0: off. */
  readonly topK: number;
  readonly minP: number;
  /** 1: off. Applies to tokens of the question and the answer. */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export interface GenerateOptions {
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** Generation ends when one of these is chosen; it is not reported. */
  readonly stopTokens: readonly number[];
  /** Tokens that count for the repetition penalty besides the generated ones. */
  readonly penalized?: readonly number[];
  /** Return the attention of the generated tokens to the units before the answer. */
  readonly observe?: boolean;
  readonly logits?: boolean;
  /** Called for each token as it is chosen. Return false to end generation after it. */
  readonly onToken?: ((token: number) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GenerateResult {
  readonly tokens: readonly number[];
  /** Why it ended. */
  readonly end: 'stop-token' | 'token-limit' | 'capacity' | 'stopped';
  readonly attention?: AttentionMass;
  /** With `logits`: float32 `[tokens, vocabulary]`, row i chose token i. */
  readonly logits?: Float32Array;
}

/** A point to return to: everything appended after it can be taken back, as long as nothing was evicted since. */
export interface Mark {
  readonly length: number;
  readonly nextTokenIndex: number;
  readonly evictions: number;
}

/** The cache of one layer. Per KV head arrays follow each other. */
export interface LayerCache {
  /** Units per KV head. */
  readonly length: number;
  /** The slot behind the newest unit of every layer, where layers differ in length; absent: `length`. */
  readonly nextSlot?: number;
  /** Keys and values in the form that a GPU holds them in, bit by bit; `keys` and `values` are empty then. */
  readonly packed?: Uint8Array;
  /** `[kvHeads, length, headDim]`, rotated to the `length` slots before the next one. */
  readonly keys: Float32Array;
  /** `[kvHeads, length, headDim]` */
  readonly values: Float32Array;
  /** `[kvHeads, length]`; empty when neither retaining heads nor the policy score units. */
  readonly scores: Float32Array;
  /** `[kvHeads, length]` */
  readonly tokenIndices: Int32Array;
}

/** Which tokens still have cache units, over all layers and KV heads. */
export interface KeptUnits {
  /** Ascending; tokens of which nothing is left are not among them. */
  readonly tokenIndices: Int32Array;
  /** For each of them, in how many of all layers × KV heads its unit is kept. */
  readonly counts: Uint16Array;
}

export interface EngineStats {
  /**
   * Units per KV head now; `capacity - length` more have room. Where budgets differ that is what it means: the capacity
   * less what every layer still has room for.
   */
  readonly length: number;
  readonly nextTokenIndex: number;
  readonly evictions: number;
  /** Bytes of keys, values, scores and indices, as allocated. */
  readonly cacheBytes: number;
  /** Bytes of packed weights. */
  readonly weightBytes: number;
  readonly seconds: { readonly model: number; readonly eviction: number };
}

/** Half-open range of token indices. */
export interface TokenRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * A model with its retained cache. It knows tokens, not files. One operation runs at a time; `openEngine` lets a second call
 * wait. What is answered is the caller's own. Cancelling takes effect within one chunk (extend) or one token (generate) and leaves the cache at a chunk or token
 * boundary. After an error of the backend every call fails with `engine-failed` until it is disposed.
 */
export interface Engine {
  readonly description: EngineDescription;
  /** Reads tokens in chunks: scores, appends, evicts. */
  extend(tokens: readonly number[] | Int32Array, options: ExtendOptions): Promise<ExtendResult>;
  /** Continues from the last token read (its logits are kept inside). Appends all but the last token it chooses. */
  generate(options: GenerateOptions): Promise<GenerateResult>;
  mark(): Promise<Mark>;
  /** @throws LocretError invalid-argument when something was evicted or forgotten since the mark */
  rewind(mark: Mark): Promise<void>;
  /**
   * Drops the units of these tokens. KV heads that are equally long stay so: a head that held fewer of them also gives up
   * its lowest ranked units. Returns the most units that a KV head gave up.
   */
  forget(ranges: readonly TokenRange[]): Promise<number>;
  /** Empties the cache. */
  reset(): Promise<void>;
  /** A copy of one layer's cache. */
  exportLayer(layer: number): Promise<LayerCache>;
  /** Replaces the cache, layer by layer. @throws LocretError snapshot-foreign when they are not of this engine */
  importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void>;
  /** Counts which tokens' units are kept, without copying keys and values. */
  keptUnits(): Promise<KeptUnits>;
  stats(): Promise<EngineStats>;
  dispose(): Promise<void>;
}
