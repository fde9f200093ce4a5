import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stopTokensOf, type GenerationSettings } from '../generation-settings.js';
import { damagedModel, JsonFields, type Bounds } from '../json-fields.js';
import type { ModelTokenizer } from '../tokenizer.js';
import { namedSpecialTokens, readTokenizerConfig } from './tokenizer-config.js';

const largestFile = 4 * 1024 * 1024;
const tokenIds: Bounds = { min: 0, max: 2 ** 31 - 1 };

/**
 * Reads how a model wants its text to be generated and which tokens end it: `generation_config.json`, with the stop tokens
 * of `config.json` and the tokenizer joined in. Values that belong to sampling count only
 * where the model's own settings sample (`do_sample`), as in transformers.
 * @throws LocretError model-corrupt naming the file, the key and the value
 */
export function readGenerationSettings(folder: string, tokenizer: ModelTokenizer): GenerationSettings {
  const generation = readIfThere(join(folder, 'generation_config.json'));
  const config = readIfThere(join(folder, 'config.json'));
  const endOfText = namedSpecialTokens(readTokenizerConfig(folder)).get('eos_token');
  const named = [
    ...(generation?.integers('eos_token_id', tokenIds) ?? []),
    ...(config?.integers('eos_token_id', tokenIds) ?? []),
  ];
  const sampling = generation?.boolean('do_sample') === true ? generation : undefined;
  // transformers' own value of an absent key; without sampling, the product's greedy choice stays.
  const temperature = sampling && (sampling.number('temperature', { min: 0, max: 100 }) ?? 1);
  const topP = sampling?.number('top_p', { min: 0, max: 1 });
  const topK = sampling?.integer('top_k', { min: 0, max: tokenIds.max });
  const repetitionPenalty = generation?.number('repetition_penalty', { min: 0.01, max: 100 });
  return {
    stopTokens: stopTokensOf(tokenizer, named, endOfText),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  };
}

function readIfThere(file: string): JsonFields | undefined {
  return existsSync(file) ? JsonFields.read(file, largestFile, damagedModel) : undefined;
}
