import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../../contract/json.js';
import { JsonFields } from '../json-fields.js';
import { unsupportedTokenizer } from '../tokenizer.js';

const largestConfig = 16 * 1024 * 1024;

/**
 * The fields of `tokenizer_config.json`; undefined when the folder has none.
 * @throws LocretError tokenizer-unsupported when it is not a JSON object
 */
export function readTokenizerConfig(folder: string): JsonFields | undefined {
  const file = join(folder, 'tokenizer_config.json');
  return existsSync(file) ? JsonFields.read(file, largestConfig, unsupportedTokenizer) : undefined;
}

/** The special tokens that the config names (`bos_token`, `eos_token`, …), each a string or an object with `content`. */
export function namedSpecialTokens(config: JsonFields | undefined): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [key, value] of Object.entries(config?.values ?? {})) {
    const content = isJsonObject(value) ? value['content'] : value;
    if (key.endsWith('_token') && typeof content === 'string') named.set(key, content);
  }
  return named;
}
