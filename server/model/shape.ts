import type { ModelFamily } from '../contract/words.js';

/** Rotary position embedding of a model: what turns queries and keys by their position. */
export interface RopeScalingLinear {
  readonly kind: 'linear';
  readonly factor: number;
}

/** Llama 3's frequency-dependent scaling. */
export interface RopeScalingLlama3 {
  readonly kind: 'llama3';
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalMaxPositions: number;
}

/** Phi-3's LongRoPE: one factor per frequency, a short and a long list, and an attention factor. */
export interface RopeScalingLongRope {
  readonly kind: 'longrope';
  readonly shortFactors: readonly number[];
  readonly longFactors: readonly number[];
  readonly originalMaxPositions: number;
  /** Multiplies cos and sin; from the checkpoint or sqrt(1 + ln(scale) / ln(original)). */
  readonly attentionFactor: number;
}

export type RopeScaling = { readonly kind: 'none' } | RopeScalingLinear | RopeScalingLlama3 | RopeScalingLongRope;

export interface Rope {
  readonly theta: number;
  /** How many of the head's dimensions are rotated; the head size unless partial. */
  readonly rotaryDim: number;
  readonly scaling: RopeScaling;
}

/** Everything of `config.json` that the forward pass depends on, in one form for all families. */
export interface ModelShape {
  readonly family: ModelFamily;
  readonly layers: number;
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the gated feed-forward layer. */
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly normEpsilon: number;
  readonly activation: 'silu';
  readonly rope: Rope;
  /** The longest input the model was trained for, in positions. */
  readonly maxPositions: number;
  /** Attention reaches back this many positions only; absent when unlimited. */
  readonly slidingWindow?: number;
  readonly tiedEmbeddings: boolean;
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly feedForwardBias: boolean;
  /** RMSNorm over each head's query and key before RoPE (qwen3). */
  readonly queryKeyNorm: boolean;
}
