import { isDeepStrictEqual } from 'node:util';
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

/** The norms of a decoder layer; the last two are of each head's query and key, before RoPE. */
export type LayerNorm = 'beforeAttention' | 'beforeFeedForward' | 'queryHead' | 'keyHead';

/** What may differ between the layers of a model. */
export interface LayerShape {
  /** Attention reaches back this many positions only; undefined when unlimited. */
  readonly window: number | undefined;
  readonly rope: Rope;
  /** Which norms it has. */
  readonly norms: readonly LayerNorm[];
  /** What the feed-forward layer's gate goes through. */
  readonly activation: 'silu';
}

/** Everything that the forward pass depends on besides the weights, in one form for all families. */
export interface ModelShape {
  readonly family: ModelFamily;
  readonly layers: readonly LayerShape[];
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Width of the gated feed-forward layer. */
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly normEpsilon: number;
  /** The longest input the model was trained for, in positions. */
  readonly maxPositions: number;
  readonly tiedEmbeddings: boolean;
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly feedForwardBias: boolean;
}

/** The norms of the families' layers, with or without those of each head's query and key. */
export function layerNorms(ofHeads: boolean): readonly LayerNorm[] {
  return ['beforeAttention', 'beforeFeedForward', ...(ofHeads ? (['queryHead', 'keyHead'] as const) : [])];
}

/** So many layers of one shape. */
export function equalLayers(count: number, layer: LayerShape): readonly LayerShape[] {
  return Array.from({ length: count }, () => layer);
}

/** @throws RangeError for a layer that the model does not have */
export function layerOf({ layers }: ModelShape, layer: number): LayerShape {
  const shape = layers[layer];
  if (shape === undefined) throw new RangeError(`layer ${layer} of ${layers.length}`);
  return shape;
}

/** The shape that all layers have; undefined when they differ. */
export function commonLayer({ layers }: Pick<ModelShape, 'layers'>): LayerShape | undefined {
  const [first, ...others] = layers;
  return others.every((layer) => layer === first || isDeepStrictEqual(layer, first)) ? first : undefined;
}

/** Numbers of a norm. */
export function normWidth({ hidden, headDim }: ModelShape, norm: LayerNorm): number {
  return norm === 'queryHead' || norm === 'keyHead' ? headDim : hidden;
}

/** The rotations of a model's layers, each once. */
export function ropesOf({ layers }: ModelShape): readonly Rope[] {
  return [...new Set(layers.map(({ rope }) => rope))];
}
