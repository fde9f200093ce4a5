import { join } from 'node:path';
import { showJson } from '../../contract/json.js';
import type { ModelFamily } from '../../contract/words.js';
import { LocretError } from '../../errors.js';
import { damagedModel, JsonFields, type Bounds } from '../json-fields.js';
import { equalLayers, layerNorms, type ModelShape, type Rope, type RopeScaling } from '../shape.js';

const largestConfig = 4 * 1024 * 1024;
const countBounds: Bounds = { min: 1, max: 4096 };
const widthBounds: Bounds = { min: 1, max: 1 << 22 };
const vocabularyBounds: Bounds = { min: 1, max: 1 << 24 };
const positionBounds: Bounds = { min: 1, max: 2 ** 31 };
const factorBounds: Bounds = { min: 1e-6, max: 1e6 };

/** Where the families differ: defaults of absent keys are transformers' own. */
interface Family {
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly normEpsilon: number;
  readonly queryKeyNorm: boolean;
  /** Biases of q/k/v, of the attention's output, of the feed-forward layer. */
  biases(config: JsonFields): readonly [boolean, boolean, boolean];
}

const noBias = [false, false, false] as const;

const families: Readonly<Record<ModelFamily, Family>> = {
  llama: {
    normEpsilon: 1e-6,
    queryKeyNorm: false,
    biases: (config) => {
      const attention = config.boolean('attention_bias') ?? false;
      return [attention, attention, config.boolean('mlp_bias') ?? false];
    },
  },
  qwen2: { kvHeads: 32, normEpsilon: 1e-6, queryKeyNorm: false, biases: () => [true, false, false] },
  qwen3: {
    kvHeads: 32,
    headDim: 128,
    normEpsilon: 1e-6,
    queryKeyNorm: true,
    biases: (config) => {
      const attention = config.boolean('attention_bias') ?? false;
      return [attention, attention, false];
    },
  },
  phi3: { normEpsilon: 1e-5, queryKeyNorm: false, biases: () => noBias },
  mistral: { kvHeads: 8, normEpsilon: 1e-6, queryKeyNorm: false, biases: () => noBias },
};

function isFamily(name: string): name is ModelFamily {
  return Object.hasOwn(families, name);
}

/** An error about a model that is intact, but of a kind this program does not run. */
function unsupported(file: string, what: string): LocretError {
  return new LocretError(
    'model-unsupported',
    `${file}: ${what}.`,
    `Choose an unquantized model of one of these families: ${Object.keys(families).join(', ')}.`,
  );
}

/**
 * Reads `config.json` into the one form that all families share. Both the keys of transformers 4
 * (`rope_theta`, `rope_scaling`) and of transformers 5 (`rope_parameters`) are understood.
 * @throws LocretError model-unsupported for a family, activation, quantization or rope scaling that is not run here;
 *   model-corrupt for a missing or senseless value
 */
export function readModelShape(folder: string): ModelShape {
  const config = JsonFields.read(join(folder, 'config.json'), largestConfig, damagedModel);
  const family = config.string('model_type');
  if (family === undefined) throw config.wrong('model_type', 'the name of a model family');
  if (!isFamily(family)) throw unsupported(config.file, `the model family ${showJson(family)} is not supported`);
  if (config.has('quantization_config')) {
    throw unsupported(config.file, 'the checkpoint is quantized ("quantization_config")');
  }
  const activation = config.string('hidden_act') ?? 'silu';
  if (activation !== 'silu' && activation !== 'swish') {
    throw unsupported(config.file, `the activation ${showJson(activation)} is not supported, only "silu"`);
  }
  const differences = families[family];
  const hidden = config.requiredInteger('hidden_size', widthBounds);
  const heads = config.requiredInteger('num_attention_heads', countBounds);
  const kvHeads = kvHeadCount(config, differences, heads);
  const headDim = config.integer('head_dim', countBounds) ?? differences.headDim ?? hidden / heads;
  if (!Number.isSafeInteger(headDim)) throw config.wrong('hidden_size', `a multiple of num_attention_heads (${heads})`);
  if (headDim % 2 !== 0) throw config.wrong('head_dim', `even (here it is ${headDim})`);
  const layers = config.requiredInteger('num_hidden_layers', countBounds);
  const maxPositions = config.requiredInteger('max_position_embeddings', positionBounds);
  const [queryKeyValueBias, outputBias, feedForwardBias] = differences.biases(config);
  return {
    family,
    layers: equalLayers(layers, {
      window: slidingWindow(config, family, layers, maxPositions),
      rope: readRope(config, family, headDim, maxPositions),
      norms: layerNorms(differences.queryKeyNorm),
      activation: 'silu',
    }),
    hidden,
    heads,
    kvHeads,
    headDim,
    feedForward: config.requiredInteger('intermediate_size', widthBounds),
    vocabulary: config.requiredInteger('vocab_size', vocabularyBounds),
    normEpsilon: config.number('rms_norm_eps', { min: 1e-12, max: 1 }) ?? differences.normEpsilon,
    maxPositions,
    tiedEmbeddings: config.boolean('tie_word_embeddings') ?? false,
    queryKeyValueBias,
    outputBias,
    feedForwardBias,
  };
}

function kvHeadCount(config: JsonFields, family: Family, heads: number): number {
  const absent = Object.hasOwn(config.values, 'num_key_value_heads') ? heads : (family.kvHeads ?? heads);
  const kvHeads = config.integer('num_key_value_heads', countBounds) ?? absent;
  if (heads % kvHeads !== 0) throw config.wrong('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  return kvHeads;
}

/** The sliding window, the same for all layers; undefined when there is none, or none that a position leaves. */
function slidingWindow(
  config: JsonFields,
  family: ModelFamily,
  layers: number,
  maxPositions: number,
): number | undefined {
  const windowed = windowedLayers(config, family, layers);
  if (windowed === 0) return undefined;
  const absent = Object.hasOwn(config.values, 'sliding_window') || family === 'phi3' ? undefined : 4096;
  const window = config.integer('sliding_window', positionBounds) ?? absent;
  if (window === undefined || window >= maxPositions) return undefined;
  if (windowed < layers) {
    throw unsupported(config.file, `a sliding window in ${windowed} of ${layers} layers is not supported, only in all`);
  }
  return window;
}

/** How many layers have sliding window attention, if the config has a window at all. */
function windowedLayers(config: JsonFields, family: ModelFamily, layers: number): number {
  switch (family) {
    case 'llama':
      return 0;
    case 'mistral':
    case 'phi3':
      return layers;
    case 'qwen2':
    case 'qwen3': {
      if (config.boolean('use_sliding_window') !== true) return 0;
      const types = config.strings('layer_types');
      if (types === undefined) {
        const full = config.integer('max_window_layers', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 28;
        return Math.max(0, layers - full);
      }
      if (types.length !== layers) throw config.wrong('layer_types', `a list of ${layers} names`);
      for (const type of types) {
        if (type !== 'full_attention' && type !== 'sliding_attention') {
          throw unsupported(config.file, `the layer type ${showJson(type)} is not supported`);
        }
      }
      return types.filter((type) => type === 'sliding_attention').length;
    }
  }
}

function readRope(config: JsonFields, family: ModelFamily, headDim: number, maxPositions: number): Rope {
  const parameters = config.object('rope_scaling') ?? config.object('rope_parameters');
  const bounds: Bounds = { min: 1, max: 1e12 };
  const theta = parameters?.number('rope_theta', bounds) ?? config.number('rope_theta', bounds) ?? 10000;
  const share: Bounds = { min: 1e-3, max: 1 };
  const rotated =
    parameters?.number('partial_rotary_factor', share) ?? config.number('partial_rotary_factor', share) ?? 1;
  if (rotated !== 1 && family !== 'phi3') {
    throw unsupported(config.file, `"partial_rotary_factor" ${rotated} is not known of the family ${family}`);
  }
  const rotaryDim = Math.trunc(headDim * rotated);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) {
    throw config.wrong('partial_rotary_factor', `a share of head_dim (${headDim}) that is even`);
  }
  return { theta, rotaryDim, scaling: readScaling(config, parameters, family, rotaryDim, maxPositions) };
}

function readScaling(
  config: JsonFields,
  parameters: JsonFields | undefined,
  family: ModelFamily,
  rotaryDim: number,
  maxPositions: number,
): RopeScaling {
  const written = parameters?.string('rope_type') ?? parameters?.string('type') ?? 'default';
  // Early Phi-3 configs name longrope so.
  const named = family === 'phi3' && (written === 'su' || written === 'yarn') ? 'longrope' : written;
  if (parameters?.has('full_attention') === true || parameters?.has('sliding_attention') === true) {
    throw unsupported(config.file, 'rope parameters that differ by layer type are not supported');
  }
  if (parameters === undefined || named === 'default') return { kind: 'none' };
  const required = (key: string): number => {
    const value = parameters.number(key, factorBounds);
    if (value === undefined) throw parameters.wrong(key, 'a number');
    return value;
  };
  const original = (): number =>
    config.integer('original_max_position_embeddings', positionBounds) ??
    parameters.integer('original_max_position_embeddings', positionBounds) ??
    (family === 'phi3' ? 4096 : maxPositions);
  switch (named) {
    case 'linear':
      return { kind: 'linear', factor: required('factor') };
    case 'llama3': {
      const lowFrequencyFactor = required('low_freq_factor');
      const highFrequencyFactor = required('high_freq_factor');
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw parameters.wrong('high_freq_factor', `above low_freq_factor (${lowFrequencyFactor})`);
      }
      return {
        kind: 'llama3',
        factor: required('factor'),
        lowFrequencyFactor,
        highFrequencyFactor,
        originalMaxPositions: original(),
      };
    }
    case 'longrope':
      return readLongRope(parameters, rotaryDim / 2, original(), maxPositions);
    default:
      throw unsupported(
        config.file,
        `rope scaling ${showJson(named)} is not supported, only "linear", "llama3" and "longrope"`,
      );
  }
}

/** LongRoPE as transformers computes it (`_compute_longrope_parameters`). */
function readLongRope(parameters: JsonFields, pairs: number, original: number, maxPositions: number): RopeScaling {
  if (parameters.has('short_mscale') || parameters.has('long_mscale')) {
    throw unsupported(parameters.file, 'longrope with "short_mscale" and "long_mscale" is not supported');
  }
  const factors = (key: string): number[] => {
    const list = parameters.numbers(key, factorBounds);
    if (list?.length !== pairs) throw parameters.wrong(key, `a list of ${pairs} numbers, one per rotated pair`);
    return list;
  };
  const scale = parameters.number('factor', factorBounds) ?? maxPositions / original;
  const inferred = scale <= 1 ? 1 : Math.sqrt(1 + Math.log(scale) / Math.log(original));
  return {
    kind: 'longrope',
    shortFactors: factors('short_factor'),
    longFactors: factors('long_factor'),
    originalMaxPositions: original,
    attentionFactor: parameters.number('attention_factor', factorBounds) ?? inferred,
  };
}
