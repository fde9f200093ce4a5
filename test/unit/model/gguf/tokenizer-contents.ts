import { readFileSync } from 'node:fs';
import type { GgufValue } from '../../../../bench/gguf.js';
import type { GgufContent } from './gguf-files.js';

interface ReferenceVocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** By the name of the pre-tokenizer or of the way in which spaces are taken, what the texts are encoded to. */
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
}

interface Reference {
  readonly texts: readonly string[];
  readonly byteLevel: ReferenceVocabulary & { readonly merges: readonly (readonly [string, string])[] };
  readonly sentencePiece: ReferenceVocabulary & { readonly scores: readonly number[] };
}

const parse: (text: string) => Reference = JSON.parse;

/** Two small vocabularies, and what the reference implementation makes of awkward texts with them. */
export const reference = parse(
  readFileSync(new URL('../../../fixtures/gguf/tokenizers.json', import.meta.url), 'utf8'),
);

export const strings = (value: readonly string[]): GgufValue => ({ type: 'list', of: 'string', value });
export const string = (value: string): GgufValue => ({ type: 'string', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });

function contentOf(
  model: string,
  vocabulary: ReferenceVocabulary,
  more: readonly (readonly [string, GgufValue])[],
): GgufContent {
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', string('llama')],
    ['tokenizer.ggml.model', string(model)],
    ['tokenizer.ggml.tokens', strings(vocabulary.tokens)],
    ['tokenizer.ggml.token_type', { type: 'list', of: 'int32', value: vocabulary.types }],
    ...more,
  ]);
  return { metadata, tensors: [] };
}

/** A file with the byte-level vocabulary and nothing else. */
export function byteLevelContent(pre: string): GgufContent {
  const { byteLevel } = reference;
  const merges = byteLevel.merges.map((pair) => pair.join(' '));
  return contentOf('gpt2', byteLevel, [
    ['tokenizer.ggml.pre', string(pre)],
    ['tokenizer.ggml.merges', strings(merges)],
    ['tokenizer.ggml.bos_token_id', uint32(byteLevel.tokens.indexOf('<|im_start|>'))],
    ['tokenizer.ggml.eos_token_id', uint32(byteLevel.tokens.indexOf('<|endoftext|>'))],
  ]);
}

/** A file with the SentencePiece vocabulary and nothing else. */
export function sentencePieceContent(): GgufContent {
  const { sentencePiece } = reference;
  return contentOf('llama', sentencePiece, [
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.scores', { type: 'list', of: 'float32', value: sentencePiece.scores }],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.unknown_token_id', uint32(0)],
  ]);
}
