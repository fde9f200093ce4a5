import { LocretError } from '../../errors.js';
import type { Bounds } from '../json-fields.js';
import { unsupportedTokenizer } from '../tokenizer.js';
import type { MetadataFields } from './metadata-fields.js';

/** The kinds of tokens (`llama_token_type`). */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The tokens of a GGUF file, by id. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly typeOf: (id: number) => number;
  /** Ids by their tokens, without the unused ones. */
  readonly ids: ReadonlyMap<string, number>;
}

/** What the tokenizer is read from, and what says nothing about how it encodes. */
const knownKeys: ReadonlySet<string> = new Set([
  'model',
  'pre',
  'tokens',
  'token_type',
  'scores',
  'merges',
  'added_tokens',
  'add_space_prefix',
  'remove_extra_whitespaces',
  'token_type_count',
]);

/** An error about a tokenizer. */
export function wrongTokenizer(path: string, what: string): LocretError {
  return new LocretError(unsupportedTokenizer.code, `${path}: ${what}.`, otherFile);
}

const otherFile = 'Choose another file of the model, one converted by a current llama.cpp.';

/**
 * Reads the tokens of a GGUF file.
 * @param rows of the model's embedding: every token has one
 * @throws LocretError tokenizer-unsupported for a list that is missing or damaged, or metadata about the tokenizer that
 *   is not known and could change how it encodes
 */
export function readVocabulary(metadata: MetadataFields, rows: number): Vocabulary {
  const { path } = metadata;
  for (const key of metadata.values.keys()) checkKey(path, key);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  if (tokens === undefined || tokens.length === 0) {
    throw wrongTokenizer(path, 'the metadata has no "tokenizer.ggml.tokens", so the file has no tokenizer');
  }
  if (tokens.length > rows) throw wrongTokenizer(path, `${tokens.length} tokens for an embedding of ${rows} rows`);
  const types = metadata.numbers('tokenizer.ggml.token_type');
  if (types !== undefined && types.length !== tokens.length) {
    throw wrongTokenizer(path, `"tokenizer.ggml.token_type" has ${types.length} entries for ${tokens.length} tokens`);
  }
  const typeOf = (id: number): number => types?.[id] ?? TokenType.normal;
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    // Rows without a token are padding; llama.cpp's converter names them [PAD17].
    if (typeOf(id) === TokenType.unused || token === '') continue;
    const other = ids.get(token);
    if (other !== undefined) {
      throw wrongTokenizer(path, `the tokens ${other} and ${id} are both ${JSON.stringify(token)}`);
    }
    ids.set(token, id);
  }
  return { tokens, typeOf, ids };
}

function checkKey(path: string, key: string): void {
  const ggml = 'tokenizer.ggml.';
  const known = key.startsWith(ggml)
    ? knownKeys.has(key.slice(ggml.length)) || tokenIdKey.test(key) || addedToken.test(key)
    : key.startsWith('tokenizer.')
      ? /^tokenizer\.(chat_template|huggingface|rwkv)/.test(key)
      : key.startsWith('general.') || !misplaced.test(key);
  if (!known) throw wrongTokenizer(path, `the metadata ${JSON.stringify(key)} is not known`);
}

/** Which tokens serve a purpose, and whether they are put around a text; Ollama's converter writes lists of them too. */
const tokenIdKey =
  /^tokenizer\.ggml\.(bos|eos|eot|eom|unknown|sep[ae]rator|padding|cls|mask|prefix|suffix|middle|fim_(pre|suf|mid|pad|rep|sep))_token_ids?$/;
const addedToken = /^tokenizer\.ggml\.add_(bos|eos|unknown|sep|sep[ae]rator|padding|cls|mask)_token$/;
/** What stands behind the beginning of a tokenizer's keys, under another one. */
const misplaced = /(\.(pre|tokens|scores|merges)|token_type|chat_template|add_\w+|_token_ids?)$/;

/** The id that the metadata gives for a purpose (`bos`, `eos`, …); undefined when it gives none. */
export function tokenIdFor(metadata: MetadataFields, purpose: string, vocabulary: Vocabulary): number | undefined {
  const key = `tokenizer.ggml.${purpose}_token_id`;
  // llama.cpp's converter writes 2^32 - 1 for none.
  if (metadata.values.get(key) === 0xffffffff) return undefined;
  const bounds: Bounds = { min: 0, max: vocabulary.tokens.length - 1 };
  return metadata.integer(key, bounds);
}

/** The ids that the metadata lists for a purpose (`eos_token_ids`); none where it has no such list. */
export function tokenIdsFor(metadata: MetadataFields, purpose: string, vocabulary: Vocabulary): readonly number[] {
  const key = `tokenizer.ggml.${purpose}_token_ids`;
  const ids = Array.from(metadata.numbers(key) ?? []);
  if (ids.every((id) => Number.isInteger(id) && id >= 0 && id < vocabulary.tokens.length)) return ids;
  throw metadata.wrong(key, `a list of token ids below ${vocabulary.tokens.length}`);
}
