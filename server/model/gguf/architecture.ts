import type { ModelFamily } from '../../contract/words.js';
import { LocretError } from '../../errors.js';
import type { GgufValue } from './metadata-values.js';
import type { MetadataFields } from './metadata-fields.js';

/** How llama.cpp stores the models of a family. */
export interface Architecture {
  /** As `general.architecture` names it, and with it the keys of this model. */
  readonly name: string;
  readonly family: ModelFamily;
  /** Query and key rows lie so that rotated pairs are neighbours: (0, d/2), (1, d/2 + 1), … of each head. */
  readonly pairedRows: boolean;
  /** One matrix for query, key and value, and one for gate and up. */
  readonly fused: boolean;
  /** Norms of each head's query and key. */
  readonly queryKeyNorm: boolean;
}

/** Mistral's models are stored as `llama`. */
const knownArchitectures: readonly Architecture[] = [
  { name: 'llama', family: 'llama', pairedRows: true, fused: false, queryKeyNorm: false },
  { name: 'qwen2', family: 'qwen2', pairedRows: false, fused: false, queryKeyNorm: false },
  { name: 'qwen3', family: 'qwen3', pairedRows: false, fused: false, queryKeyNorm: true },
  { name: 'phi3', family: 'phi3', pairedRows: false, fused: true, queryKeyNorm: false },
];

/** An error about a GGUF file that is intact, but of a kind this program does not run. */
export function unsupportedModel(path: string, what: string): LocretError {
  return new LocretError(
    'model-unsupported',
    `${path}: ${what}.`,
    `Choose a model of one of these architectures: ${knownArchitectures.map(({ name }) => name).join(', ')} (Mistral's too).`,
  );
}

/** What the shape is read from, without the architecture's name in front. */
const shapeKeys: ReadonlySet<string> = new Set([
  'context_length',
  'embedding_length',
  'block_count',
  'feed_forward_length',
  'vocab_size',
  'attention.head_count',
  'attention.head_count_kv',
  'attention.key_length',
  'attention.value_length',
  'attention.layer_norm_rms_epsilon',
  'attention.sliding_window',
  'rope.dimension_count',
  'rope.freq_base',
  'rope.scaling.type',
  'rope.scaling.factor',
  'rope.scale_linear',
  'rope.scaling.attn_factor',
  'rope.scaling.original_context_length',
]);

/** Keys that say nothing about what these architectures compute. */
const idleKeys: ReadonlySet<string> = new Set([
  'tensor_data_layout',
  'pooling_type',
  'attention.layer_norm_epsilon',
  'rope.scaling.finetuned',
  'rope.scaling.yarn_log_multiplier',
  'rope.scaling.yarn_ext_factor',
  'rope.scaling.yarn_attn_factor',
  'rope.scaling.yarn_beta_fast',
  'rope.scaling.yarn_beta_slow',
]);

/** Keys that change what is computed unless they have this value. */
const neutralValues: ReadonlyMap<string, GgufValue> = new Map<string, GgufValue>([
  ['attention.causal', true],
  ['attention.clamp_kqv', 0],
  ['attention.max_alibi_bias', 0],
  ['attn_logit_softcapping', 0],
  ['expert_count', 0],
  ['expert_used_count', 0],
  ['expert_shared_count', 0],
  ['final_logit_softcapping', 0],
  ['leading_dense_block_count', 0],
  ['logit_scale', 1],
  ['nextn_predict_layers', 0],
  ['use_parallel_residual', false],
]);

/** What keys of every architecture begin with. */
const commonOwners: ReadonlySet<string> = new Set(['general', 'tokenizer', 'split', 'quantize']);

/**
 * The architecture of a model. Every key of the architecture must be known, since one that is not could change what
 * the model computes.
 * @throws LocretError model-unsupported for an architecture or a key that is not known, model-corrupt without an
 *   architecture or with keys of another one
 */
export function readArchitecture(metadata: MetadataFields): Architecture {
  const named = metadata.string('general.architecture');
  if (named === undefined) throw metadata.wrong('general.architecture', 'the name of an architecture');
  const architecture = knownArchitectures.find(({ name }) => name === named);
  if (architecture === undefined) {
    throw unsupportedModel(metadata.path, `the architecture ${JSON.stringify(named)} is not supported`);
  }
  for (const [key, value] of metadata.values) checkKey(metadata, named, key, value);
  return architecture;
}

function checkKey(metadata: MetadataFields, architecture: string, key: string, value: GgufValue): void {
  const [owner] = key.split('.', 1);
  const name = key.slice(architecture.length + 1);
  if (owner === architecture) {
    if (shapeKeys.has(name) || idleKeys.has(name)) return;
    if (neutralValues.has(name) && neutralValues.get(name) === value) return;
    throw unsupportedModel(metadata.path, `the metadata ${JSON.stringify(key)} is not known of these models`);
  }
  if (commonOwners.has(owner ?? '')) return;
  // What others add is theirs, but not what this model should have under its own name.
  for (const known of shapeKeys) {
    if (key.endsWith(known)) {
      throw metadata.wrong('general.architecture', `that of the metadata ${JSON.stringify(key)}`);
    }
  }
}
