import { join } from 'node:path';
import { isJsonObject } from '../../contract/json.js';
import { JsonFields, type Bounds } from '../json-fields.js';
import { tokenForm } from '../token-bytes.js';
import { createTokenizer, unsupportedTokenizer, type ModelTokenizer } from '../tokenizer.js';
import { readTokenizerConfig } from './tokenizer-config.js';

const largestDefinition = 256 * 1024 * 1024;
const tokenIds: Bounds = { min: 0, max: (1 << 24) - 1 };

/**
 * Opens the tokenizer of a model folder: `tokenizer.json` and, where there is one, `tokenizer_config.json`.
 * @param vocabulary rows of the model's embedding; added tokens beyond it are left out, because the model has none
 * @throws LocretError tokenizer-unsupported naming the file, for one that is missing, damaged or of another kind than
 *   byte-level or SentencePiece-style BPE
 */
export function openTokenizer(folder: string, vocabulary = Number.MAX_SAFE_INTEGER): ModelTokenizer {
  const file = JsonFields.read(join(folder, 'tokenizer.json'), largestDefinition, unsupportedTokenizer);
  const model = file.object('model');
  if (model === undefined) throw file.wrong('model', 'an object');
  const type = model.string('type');
  if (type !== undefined && type !== 'BPE') throw model.wrong('type', '"BPE"');
  const form = tokenForm(file.value('decoder'));
  if (form === undefined) throw file.wrong('decoder', 'a byte-level or a SentencePiece-style decoder');
  checkVocabulary(model, vocabulary);
  const absent = { normalizer: null, pre_tokenizer: null, post_processor: null };
  const definition = {
    ...absent,
    ...file.values,
    model: { ...model.values, type: 'BPE' },
    added_tokens: addedTokens(file, readTokenizerConfig(folder), vocabulary),
  };
  return createTokenizer({ origin: file.file, form, definition });
}

/** Every id of the vocabulary must be a row of the embedding. */
function checkVocabulary(model: JsonFields, vocabulary: number): void {
  const tokens = model.value('vocab');
  const limit = Math.min(vocabulary - 1, tokenIds.max);
  const expected = `an object of token ids from 0 to ${limit}`;
  if (!isJsonObject(tokens)) throw model.wrong('vocab', expected);
  for (const id of Object.values(tokens)) {
    if (!isTokenId(id) || id > limit) throw model.wrong('vocab', expected);
  }
}

/**
 * The added tokens the model has a row for: those of `tokenizer.json`, with what `tokenizer_config.json` says of how
 * they take the text around them, and those that only the latter has. So does transformers.
 */
function addedTokens(file: JsonFields, config: JsonFields | undefined, vocabulary: number): object[] {
  const list = file.value('added_tokens') ?? [];
  if (!Array.isArray(list)) throw file.wrong('added_tokens', 'a list of tokens');
  const alsoSpecial: unknown = config?.value('additional_special_tokens');
  const named = new Set<unknown>(Array.isArray(alsoSpecial) ? alsoSpecial : []);
  const tokens = new Map<string, { readonly id: number; readonly special: boolean }>();
  const add = (token: unknown, id: unknown, fields: JsonFields, key: string): void => {
    const content = isJsonObject(token) ? token['content'] : undefined;
    if (!isJsonObject(token) || typeof content !== 'string' || !isTokenId(id)) {
      throw fields.wrong(key, 'tokens, each with a "content" and an "id"');
    }
    const known = tokens.get(content);
    const special = token['special'] === true || known?.special === true || named.has(content);
    if (content !== '' && id < vocabulary) tokens.set(content, { ...known, ...token, special, id: known?.id ?? id });
  };
  for (const token of list) add(token, isJsonObject(token) ? token['id'] : undefined, file, 'added_tokens');
  const decoder = config?.object('added_tokens_decoder');
  for (const [id, token] of Object.entries(decoder?.values ?? {})) {
    if (config !== undefined) add(token, Number(id), config, 'added_tokens_decoder');
  }
  return [...tokens.values()];
}

function isTokenId(id: unknown): id is number {
  return Number.isSafeInteger(id) && Number(id) >= tokenIds.min && Number(id) <= tokenIds.max;
}
