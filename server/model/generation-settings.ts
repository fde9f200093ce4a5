import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DAMAGED_MODEL, JsonFields, type Bounds } from './json-fields.js';
import { namedSpecialTokens, readTokenizerConfig } from './tokenizer-config.js';
import type { ModelTokenizer } from './tokenizer.js';

/** `generation_config.json`, with the stop tokens of config.json and the tokenizer joined in. */
export interface GenerationSettings {
  readonly stopTokens: readonly number[];
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly repetitionPenalty?: number;
}

const FILE_LIMIT = 4 * 1024 * 1024;
const TOKEN_IDS: Bounds = { min: 0, max: 2 ** 31 - 1 };
/** What ends a turn in the chat forms of the supported families; base checkpoints name only the end of a text. */
const TURN_ENDS = ['<|im_end|>', '<|eot_id|>', '<|end|>'];

/**
 * Reads how a model wants its text to be generated and which tokens end it. Values that belong to sampling count only
 * where the model's own settings sample (`do_sample`), as in transformers.
 * @throws LocretError model-corrupt naming the file, the key and the value
 */
export function readGenerationSettings(folder: string, tokenizer: ModelTokenizer): GenerationSettings {
  const generation = readIfThere(join(folder, 'generation_config.json'));
  const config = readIfThere(join(folder, 'config.json'));
  const endOfText = namedSpecialTokens(readTokenizerConfig(folder)).get('eos_token');
  const named = endOfText === undefined ? TURN_ENDS : [endOfText, ...TURN_ENDS];
  const stopTokens = [
    ...(generation?.integers('eos_token_id', TOKEN_IDS) ?? []),
    ...(config?.integers('eos_token_id', TOKEN_IDS) ?? []),
    ...named.map((token) => tokenizer.tokenId(token)).filter((id) => id !== undefined),
  ];
  const sampling = generation?.boolean('do_sample') === true ? generation : undefined;
  // transformers' own value of an absent key; without sampling, the product's greedy choice stays.
  const temperature = sampling && (sampling.number('temperature', { min: 0, max: 100 }) ?? 1);
  const topP = sampling?.number('top_p', { min: 0, max: 1 });
  const topK = sampling?.integer('top_k', { min: 0, max: TOKEN_IDS.max });
  const repetitionPenalty = generation?.number('repetition_penalty', { min: 0.01, max: 100 });
  return {
    stopTokens: [...new Set(stopTokens)],
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  };
}

function readIfThere(file: string): JsonFields | undefined {
  return existsSync(file) ? JsonFields.read(file, FILE_LIMIT, DAMAGED_MODEL) : undefined;
}
