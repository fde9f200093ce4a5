import { join } from 'node:path';
import { isJsonObject, JsonFields, type Bounds } from './json-fields.js';
import { tokenForm, type TokenForm } from './token-bytes.js';
import { readTokenizerConfig, UNSUPPORTED_TOKENIZER } from './tokenizer-config.js';

const DEFINITION_LIMIT = 256 * 1024 * 1024;
const TOKEN_IDS: Bounds = { min: 0, max: (1 << 24) - 1 };

/** The files of a tokenizer, checked as far as the tokenizers package does not check them itself. */
export interface TokenizerFiles {
  readonly form: TokenForm;
  /** The content of `tokenizer.json`. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** What of `tokenizer_config.json` concerns encoding and decoding. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Reads and checks the tokenizer's files.
 * @param vocabulary rows of the model's embedding
 * @throws LocretError tokenizer-unsupported
 */
export function readTokenizerFiles(folder: string, vocabulary: number): TokenizerFiles {
  const file = JsonFields.read(join(folder, 'tokenizer.json'), DEFINITION_LIMIT, UNSUPPORTED_TOKENIZER);
  const model = file.object('model');
  if (model === undefined) throw file.wrong('model', 'an object');
  const type = model.string('type');
  if (type !== undefined && type !== 'BPE' && type !== 'Unigram') throw model.wrong('type', '"BPE" or "Unigram"');
  const form = tokenForm(file.value('decoder'));
  if (form === undefined) throw file.wrong('decoder', 'a byte-level or a SentencePiece-style decoder');
  checkVocabulary(model, vocabulary);
  const absent = { normalizer: null, pre_tokenizer: null, post_processor: null };
  const added = addedTokens(file, vocabulary);
  const special = readTokenizerConfig(folder)?.value('additional_special_tokens');
  return {
    form,
    definition: { ...absent, ...file.values, added_tokens: added },
    settings: {
      additional_special_tokens: Array.isArray(special) ? special.filter((token) => typeof token === 'string') : [],
    },
  };
}

/** Every id of the vocabulary must be a row of the embedding. */
function checkVocabulary(model: JsonFields, vocabulary: number): void {
  const tokens = model.value('vocab');
  const limit = Math.min(vocabulary - 1, TOKEN_IDS.max);
  if (Array.isArray(tokens)) {
    if (tokens.length - 1 > limit) throw model.wrong('vocab', `a list of at most ${limit + 1} tokens`);
    return;
  }
  if (!isJsonObject(tokens)) throw model.wrong('vocab', 'an object of token ids, or a list of tokens');
  for (const id of Object.values(tokens)) {
    if (!Number.isSafeInteger(id) || Number(id) < 0 || Number(id) > limit) {
      throw model.wrong('vocab', `an object of token ids from 0 to ${limit}`);
    }
  }
}

/** The added tokens the model has a row for. */
function addedTokens(file: JsonFields, vocabulary: number): unknown[] {
  const list = file.value('added_tokens') ?? [];
  if (!Array.isArray(list)) throw file.wrong('added_tokens', 'a list of tokens');
  return list.filter((token: unknown) => {
    const id = isJsonObject(token) && typeof token['content'] === 'string' ? token['id'] : undefined;
    if (!Number.isSafeInteger(id) || Number(id) < TOKEN_IDS.min || Number(id) > TOKEN_IDS.max) {
      throw file.wrong('added_tokens', 'a list of tokens, each with a "content" and an "id"');
    }
    return Number(id) < vocabulary;
  });
}
