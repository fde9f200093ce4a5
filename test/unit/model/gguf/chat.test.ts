import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { readGgufChatTemplate, readGgufGeneration, readGgufSpecialTokens } from '../../../../server/model/gguf/chat.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import type { MetadataFields } from '../../../../server/model/gguf/metadata-fields.js';
import { readGgufTokenizer } from '../../../../server/model/gguf/tokenizer-definition.js';
import { readVocabulary, type Vocabulary } from '../../../../server/model/gguf/vocabulary.js';
import { expectRefusal } from '../model-folder.js';
import { withMetadata, writeContent, type GgufContent } from './gguf-files.js';
import { bool, byteLevelContent, reference, sentencePieceContent, string, uint32 } from './tokenizer-contents.js';

function open(content: GgufContent): { readonly metadata: MetadataFields; readonly vocabulary: Vocabulary } {
  const file = GgufFile.open(writeContent(content));
  file.close();
  return { metadata: file.metadata, vocabulary: readVocabulary(file.metadata, 10_000) };
}

const idOf = (token: string): number => reference.byteLevel.tokens.indexOf(token);

describe('what ends an answer', () => {
  const stops = (content: GgufContent): readonly number[] => {
    const { metadata, vocabulary } = open(content);
    return readGgufGeneration(metadata, vocabulary).stopTokens;
  };

  it('is also what the template ends turns with, whatever "eos_token_id" says', () => {
    // The metadata names <|endoftext|> only.
    expect(stops(byteLevelContent('qwen2'))).toEqual(['<|endoftext|>', '<|im_end|>', '<|end|>'].map(idOf));
  });

  it('is what the metadata names for the end of a text, a turn and a message', () => {
    const content = withMetadata(byteLevelContent('qwen2'), {
      'tokenizer.ggml.eos_token_id': uint32(7),
      'tokenizer.ggml.eot_token_id': uint32(8),
      'tokenizer.ggml.eom_token_id': uint32(9),
    });
    expect(stops(content).slice(0, 3)).toEqual([7, 8, 9]);
    const list = { 'tokenizer.ggml.eos_token_ids': { type: 'list', of: 'int32', value: [10, 7] } } as const;
    expect(stops(withMetadata(content, list)).slice(0, 4)).toEqual([7, 8, 9, 10]);
    const beyond = { 'tokenizer.ggml.eos_token_ids': { type: 'list', of: 'int32', value: [10, -7] } } as const;
    expectRefusal(() => stops(withMetadata(content, beyond)), 'model-corrupt', 'a list of token ids below');
  });

  it('is no token that the vocabulary lacks', () => {
    expect(stops(withMetadata(sentencePieceContent(), { 'tokenizer.ggml.eos_token_id': uint32(0xffffffff) }))).toEqual([
      reference.sentencePiece.tokens.indexOf('<|end|>'),
    ]);
    expectRefusal(
      () => stops(withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.eos_token_id': uint32(100_000) })),
      'model-corrupt',
      '"tokenizer.ggml.eos_token_id" must be a number from 0 to',
    );
  });
});

describe('the chat template', () => {
  it('is the default one, or none', () => {
    expect(readGgufChatTemplate(open(byteLevelContent('qwen2')).metadata)).toBeUndefined();
    const content = withMetadata(byteLevelContent('qwen2'), {
      'tokenizer.chat_template': string('default one'),
      'tokenizer.chat_template.tool_use': string('another'),
      'tokenizer.chat_templates': { type: 'list', of: 'string', value: ['tool_use'] },
    });
    expect(readGgufChatTemplate(open(content).metadata)).toBe('default one');
  });

  it('finds the special tokens by the names that templates use', () => {
    const { metadata, vocabulary } = open(sentencePieceContent());
    expect(Object.fromEntries(readGgufSpecialTokens(metadata, vocabulary))).toEqual({
      bos_token: '<s>',
      eos_token: '</s>',
      unk_token: '<unk>',
    });
  });

  it('that writes the beginning itself makes one of it, beside "add_bos_token"', () => {
    const { metadata, vocabulary } = open(
      withMetadata(sentencePieceContent(), {
        'tokenizer.ggml.add_bos_token': bool(true),
        'tokenizer.chat_template': string(
          "{{ bos_token }}{% for m in messages %}{{ '<|user|>' + m.content }}{% endfor %}",
        ),
      }),
    );
    const variables = Object.fromEntries(readGgufSpecialTokens(metadata, vocabulary));
    const template = new Template(readGgufChatTemplate(metadata) ?? '');
    const text = template.render({ ...variables, messages: [{ role: 'user', content: 'a' }] });
    const tokenizer = new Tokenizer(readGgufTokenizer(metadata, vocabulary).definition, {});
    // A rendered conversation is encoded as it stands: the tokenizer puts nothing in front of it.
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    expect(ids.filter((id) => id === 1)).toEqual([1]);
    expect(ids[0]).toBe(1);
  });
});

describe('generation settings', () => {
  it('are those of the metadata', () => {
    const { metadata, vocabulary } = open(
      withMetadata(byteLevelContent('qwen2'), {
        'general.sampling.temp': { type: 'float32', value: 0.5 },
        'general.sampling.top_p': { type: 'float32', value: 0.75 },
        'general.sampling.top_k': { type: 'int32', value: 20 },
        'general.sampling.penalty_repeat': { type: 'float32', value: 1.25 },
      }),
    );
    expect(readGgufGeneration(metadata, vocabulary)).toMatchObject({
      temperature: 0.5,
      topP: 0.75,
      topK: 20,
      repetitionPenalty: 1.25,
    });
  });

  it('are absent where the metadata has none, or no limit', () => {
    const { metadata, vocabulary } = open(
      withMetadata(byteLevelContent('qwen2'), { 'general.sampling.top_k': { type: 'int32', value: -1 } }),
    );
    expect(Object.keys(readGgufGeneration(metadata, vocabulary))).toEqual(['stopTokens']);
  });

  it('out of bounds are refused', () => {
    const { metadata, vocabulary } = open(
      withMetadata(byteLevelContent('qwen2'), { 'general.sampling.top_p': { type: 'float32', value: 1.5 } }),
    );
    expectRefusal(
      () => readGgufGeneration(metadata, vocabulary),
      'model-corrupt',
      '"general.sampling.top_p" must be a number from 0 to 1, not 1.5',
    );
  });
});
