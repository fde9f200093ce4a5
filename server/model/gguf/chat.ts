import type { GenerationSettings } from '../generation-settings.js';
import type { MetadataFields } from './metadata-fields.js';
import { tokenIdFor, tokenIdsFor, type Vocabulary } from './vocabulary.js';

/**
 * What ends an answer in the chat forms of the supported families, whatever `eos_token_id` says: files are published
 * whose end token is that of a plain text, and whose template ends turns with another.
 */
export const answerEnds: ReadonlySet<string> = new Set([
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|EOT|>',
  '<|end_of_text|>',
  '<|endoftext|>',
  '<｜end▁of▁sentence｜>',
]);

const purposes = { bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' } as const;

/** The special tokens by the names that chat templates use (`bos_token`, `eos_token`, …). */
export function readGgufSpecialTokens(metadata: MetadataFields, vocabulary: Vocabulary): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [purpose, name] of Object.entries(purposes)) {
    const id = tokenIdFor(metadata, purpose, vocabulary);
    const token = id === undefined ? undefined : vocabulary.tokens[id];
    if (token !== undefined) named.set(name, token);
  }
  return named;
}

/** The chat template; undefined for a file without one. Of several named ones it is the default. */
export function readGgufChatTemplate(metadata: MetadataFields): string | undefined {
  return metadata.string('tokenizer.chat_template');
}

/** Which tokens end an answer, and how the model wants its text to be generated where the file says it. */
export function readGgufGeneration(metadata: MetadataFields, vocabulary: Vocabulary): GenerationSettings {
  const ends = ['eos', 'eot', 'eom'].map((purpose) => tokenIdFor(metadata, purpose, vocabulary));
  const known = Array.from(answerEnds, (token) => vocabulary.ids.get(token));
  const stopTokens = [...new Set([...ends, ...tokenIdsFor(metadata, 'eos', vocabulary), ...known])].filter(
    (id) => id !== undefined,
  );
  const sampling = (name: string, max: number): number | undefined =>
    metadata.number(`general.sampling.${name}`, { min: 0, max });
  const temperature = sampling('temp', 100);
  const topP = sampling('top_p', 1);
  const topK = metadata.integer('general.sampling.top_k', { min: -1, max: 2 ** 31 - 1 });
  const repetitionPenalty = sampling('penalty_repeat', 100);
  return {
    stopTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    // llama.cpp takes -1 and 0 for no limit.
    ...(topK === undefined || topK < 1 ? {} : { topK }),
    ...(repetitionPenalty === undefined || repetitionPenalty === 0 ? {} : { repetitionPenalty }),
  };
}
