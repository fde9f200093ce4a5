import type { Bounds } from '../json-fields.js';
import { refuse } from '../weight-file.js';
import { equalLayers, layerNorms, type ModelShape, type Rope, type RopeScaling } from '../shape.js';
import { readArchitecture, unsupportedModel, type Architecture } from './architecture.js';
import { damagedGguf, type GgufFile } from './gguf-file.js';

const countBounds: Bounds = { min: 1, max: 4096 };
const widthBounds: Bounds = { min: 1, max: 1 << 22 };
const positionBounds: Bounds = { min: 1, max: 2 ** 31 };
const factorBounds: Bounds = { min: 1e-6, max: 1e6 };
const thetaBounds: Bounds = { min: 1, max: 1e12 };

/** RoPE's base where a file does not give one, as in llama.cpp and transformers. */
const defaultTheta = 10000;

/**
 * What the forward pass depends on, from the metadata of a GGUF file and from which tensors it has.
 * @throws LocretError model-unsupported for an architecture, a rope scaling or a key that is not run here;
 *   model-corrupt for a missing or senseless value
 */
export function readGgufShape(file: GgufFile): ModelShape {
  const { metadata } = file;
  const architecture = readArchitecture(metadata);
  const key = (name: string): string => `${architecture.name}.${name}`;
  const hidden = metadata.requiredInteger(key('embedding_length'), widthBounds);
  const heads = metadata.requiredInteger(key('attention.head_count'), countBounds);
  const kvHeads = metadata.integer(key('attention.head_count_kv'), countBounds) ?? heads;
  if (heads % kvHeads !== 0) throw metadata.wrong(key('attention.head_count_kv'), `a divisor of ${heads}`);
  const maxPositions = metadata.requiredInteger(key('context_length'), positionBounds);
  const normEpsilon = metadata.number(key('attention.layer_norm_rms_epsilon'), { min: 1e-12, max: 1 });
  if (normEpsilon === undefined) throw metadata.wrong(key('attention.layer_norm_rms_epsilon'), 'a number');
  const headDim = readHeadDim(file, key, hidden, heads);
  const has = (tensor: string): boolean => file.tensors.has(tensor);
  return {
    family: architecture.family,
    layers: equalLayers(metadata.requiredInteger(key('block_count'), countBounds), {
      window: slidingWindow(file, architecture, key('attention.sliding_window'), maxPositions),
      rope: readRope(file, architecture, headDim, maxPositions),
      norms: layerNorms(architecture.queryKeyNorm),
      activation: 'silu',
    }),
    hidden,
    heads,
    kvHeads,
    headDim,
    feedForward: metadata.requiredInteger(key('feed_forward_length'), widthBounds),
    vocabulary: vocabularyOf(file, key('vocab_size')),
    normEpsilon,
    maxPositions,
    tiedEmbeddings: !has('output.weight'),
    queryKeyValueBias: has('blk.0.attn_q.bias'),
    outputBias: has('blk.0.attn_output.bias'),
    feedForwardBias: has('blk.0.ffn_down.bias'),
  };
}

/** Rows of the input vocabulary matrix, which `vocab_size` and the list of tokens must agree with. */
function vocabularyOf(file: GgufFile, sizeKey: string): number {
  const { metadata, tensors } = file;
  const rows = tensors.get('token_embd.weight')?.dimensions[1];
  const tokens = metadata.strings('tokenizer.ggml.tokens')?.length;
  const vocabulary = rows ?? tokens ?? metadata.requiredInteger(sizeKey, widthBounds);
  if (tokens !== undefined && tokens !== vocabulary) {
    throw metadata.wrong('tokenizer.ggml.tokens', `a list of ${vocabulary}, as many as the embedding has rows`);
  }
  if ((metadata.integer(sizeKey, widthBounds) ?? vocabulary) !== vocabulary) {
    throw metadata.wrong(sizeKey, `${vocabulary}, as many as the embedding has rows`);
  }
  return vocabulary;
}

function readHeadDim(file: GgufFile, key: (name: string) => string, hidden: number, heads: number): number {
  const { metadata } = file;
  const keyLength = metadata.integer(key('attention.key_length'), countBounds);
  const headDim = keyLength ?? hidden / heads;
  if (!Number.isInteger(headDim)) throw metadata.wrong(key('embedding_length'), `a multiple of the ${heads} heads`);
  if (headDim % 2 !== 0) throw metadata.wrong(key('attention.key_length'), `even (here it is ${headDim})`);
  const valueLength = metadata.integer(key('attention.value_length'), countBounds) ?? hidden / heads;
  if (valueLength !== headDim) {
    throw unsupportedModel(file.path, `keys of ${headDim} and values of ${valueLength} numbers are not supported`);
  }
  return headDim;
}

/** The sliding window, the same for all layers; undefined when there is none, or none that a position leaves. */
function slidingWindow(
  file: GgufFile,
  { family }: Architecture,
  key: string,
  maxPositions: number,
): number | undefined {
  const window = file.metadata.integer(key, { ...positionBounds, min: 0 }) ?? 0;
  if (window === 0 || window >= maxPositions) return undefined;
  if (family === 'qwen2' || family === 'qwen3') {
    throw unsupportedModel(
      file.path,
      `a sliding window of ${window} in some layers of a ${family} model is not supported`,
    );
  }
  return window;
}

function readRope(file: GgufFile, architecture: Architecture, headDim: number, maxPositions: number): Rope {
  const { metadata } = file;
  const key = (name: string): string => `${architecture.name}.rope.${name}`;
  const rotaryDim = metadata.integer(key('dimension_count'), countBounds) ?? headDim;
  if (rotaryDim > headDim || rotaryDim % 2 !== 0) {
    throw metadata.wrong(key('dimension_count'), `even and at most the head's ${headDim}`);
  }
  if (rotaryDim !== headDim && architecture.family !== 'phi3') {
    throw unsupportedModel(
      file.path,
      `rotating ${rotaryDim} of ${headDim} dimensions is not known of ${architecture.name}`,
    );
  }
  return {
    theta: metadata.number(key('freq_base'), thetaBounds) ?? defaultTheta,
    rotaryDim,
    scaling: readScaling(file, key, rotaryDim, maxPositions),
  };
}

/**
 * The scaling of rotary positions. Llama 3.1's comes as a tensor of one factor per pair (`rope_freqs.weight`), which
 * is the LongRoPE form with the same factors at every length.
 */
function readScaling(
  file: GgufFile,
  key: (name: string) => string,
  rotaryDim: number,
  maxPositions: number,
): RopeScaling {
  const { metadata } = file;
  const written = metadata.string(key('scaling.type'));
  // llama.cpp takes 0 for none, and a factor without a type for a linear one.
  const bounds: Bounds = { ...factorBounds, min: 0 };
  const factor = metadata.number(key('scaling.factor'), bounds) ?? metadata.number(key('scale_linear'), bounds) ?? 0;
  const attentionFactor = metadata.number(key('scaling.attn_factor'), factorBounds);
  const original = metadata.integer(key('scaling.original_context_length'), positionBounds) ?? maxPositions;
  const isLinear = (written === undefined || written === 'linear') && factor !== 0 && factor !== 1;
  const [every, short, long] = ['rope_freqs', 'rope_factors_short', 'rope_factors_long'].map((name) =>
    readFactors(file, `${name}.weight`, rotaryDim / 2),
  );
  const [shortFactors, longFactors] = every === undefined ? [short, long] : [every, every];
  if (shortFactors !== undefined && longFactors !== undefined) {
    if (isLinear || written === 'yarn' || (every !== undefined && (short ?? long) !== undefined)) {
      throw unsupportedModel(file.path, 'several scalings of rotary positions at once are not supported');
    }
    const absent = every === undefined ? inferredAttentionFactor(original, maxPositions) : 1;
    return {
      kind: 'longrope',
      shortFactors,
      longFactors,
      originalMaxPositions: original,
      attentionFactor: attentionFactor ?? absent,
    };
  }
  if (shortFactors !== undefined || longFactors !== undefined || written === 'longrope') {
    throw metadata.wrong(
      key('scaling.type'),
      'given with both "rope_factors_short.weight" and "rope_factors_long.weight"',
    );
  }
  if (written !== undefined && written !== 'none' && written !== 'linear') {
    throw unsupportedModel(
      file.path,
      `rope scaling ${JSON.stringify(written)} is not supported, only "linear" and "longrope"`,
    );
  }
  if (attentionFactor !== undefined && attentionFactor !== 1) {
    throw unsupportedModel(file.path, `an attention factor of ${attentionFactor} without LongRoPE is not supported`);
  }
  return isLinear ? { kind: 'linear', factor } : { kind: 'none' };
}

/** What LongRoPE multiplies cos and sin with where the file does not say it. */
function inferredAttentionFactor(original: number, maxPositions: number): number {
  const scale = maxPositions / original;
  return scale <= 1 ? 1 : Math.sqrt(1 + Math.log(scale) / Math.log(original));
}

/** A tensor of one factor per rotated pair; undefined when there is none. */
function readFactors(file: GgufFile, name: string, pairs: number): number[] | undefined {
  if (!file.tensors.has(name)) return undefined;
  const factors = Array.from(file.readFloats(file.expect(name, [pairs]), 0, pairs));
  if (factors.every((factor) => factor >= factorBounds.min && factor <= factorBounds.max)) return factors;
  throw refuse(
    file.path,
    damagedGguf,
    `has a tensor "${name}" with factors outside ${factorBounds.min} to ${factorBounds.max}`,
  );
}
