import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { LocretError } from '../../../../server/errors.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { readGgufTokenizer } from '../../../../server/model/gguf/tokenizer-definition.js';
import { readVocabulary } from '../../../../server/model/gguf/vocabulary.js';
import type { TokenizerDefinition } from '../../../../server/model/tokenizer.js';
import { expectRefusal } from '../model-folder.js';
import { withMetadata, writeContent, type GgufContent } from './gguf-files.js';
import {
  bool,
  byteLevelContent,
  reference,
  sentencePieceContent,
  string,
  strings,
  uint32,
} from './tokenizer-contents.js';

function tokenizerFiles(content: GgufContent, rows = 10_000): TokenizerDefinition {
  const file = GgufFile.open(writeContent(content));
  file.close();
  return readGgufTokenizer(file.metadata, readVocabulary(file.metadata, rows));
}

function open(content: GgufContent): Tokenizer {
  return new Tokenizer(tokenizerFiles(content).definition, {});
}

function expectIds(content: GgufContent, ids: readonly (readonly number[])[] | undefined): void {
  const tokenizer = open(content);
  const { texts } = reference;
  expect(ids).toHaveLength(texts.length);
  for (const [index, text] of texts.entries()) {
    expect([text, tokenizer.encode(text, { add_special_tokens: false }).ids]).toEqual([text, ids?.[index]]);
  }
}

describe('a byte-level tokenizer', () => {
  const { ids, tokens } = reference.byteLevel;

  it.each(Object.keys(ids))('of the pre-tokenizer %s encodes awkward texts as the published one', (pre) => {
    expect(tokenizerFiles(byteLevelContent(pre)).form).toBe('byte-level');
    expectIds(byteLevelContent(pre), ids[pre]);
  });

  it.each([
    ['smollm', 'starcoder'],
    ['refact', 'starcoder'],
    ['deepseek-r1-qwen', 'qwen2'],
    ['llama3', 'llama-bpe'],
    ['llama-v3', 'llama-bpe'],
  ])('knows %s as another name of %s', (pre, same) => {
    expectIds(byteLevelContent(pre), ids[same]);
  });

  it.each([
    ['qwen2', { 151643: '<|endoftext|>', 151644: '<|im_start|>' }],
    ['deepseek-r1-qwen', { 151643: '<｜end▁of▁sentence｜>', 151646: '<｜begin▁of▁sentence｜>' }],
    ['llama-bpe', { 128000: '<|begin_of_text|>', 128001: '<|end_of_text|>' }],
    ['deepseek-coder', { 32013: '<｜begin▁of▁sentence｜>', 32014: '<｜end▁of▁sentence｜>' }],
    ['gpt-2', { 220: 'Ġ', 50256: '<|endoftext|>' }],
  ] as const)('without "tokenizer.ggml.pre" is known by its vocabulary: %s', (pre, marks) => {
    const filler = tokens.filter((token) => !Object.values<string>(marks).includes(token));
    const placed = Array.from({ length: 151_700 }, (_, id) => `[unused${id}]`);
    filler.forEach((token, index) => (placed[index < 220 ? index : index + 1] = token));
    for (const [id, token] of Object.entries<string>(marks)) placed[Number(id)] = token;
    const types = placed.map((token) => (token.startsWith('[unused') ? 5 : 1));
    const known = {
      'tokenizer.ggml.tokens': strings(placed),
      'tokenizer.ggml.token_type': { type: 'list', of: 'int32', value: types },
    } as const;
    const rows = placed.length;
    const named = tokenizerFiles(withMetadata(byteLevelContent(pre), known), rows).definition;
    for (const absent of [undefined, string('default')]) {
      const without = withMetadata(byteLevelContent(pre), { ...known, 'tokenizer.ggml.pre': absent });
      const { definition } = tokenizerFiles(without, rows);
      expect(definition['pre_tokenizer']).toEqual(named['pre_tokenizer']);
      expect(definition['normalizer']).toEqual(named['normalizer']);
    }
  });

  it('without "tokenizer.ggml.pre" and of an unknown vocabulary is refused, and so is an unknown name', () => {
    const without = withMetadata(byteLevelContent('x'), { 'tokenizer.ggml.pre': undefined });
    expectRefusal(
      () => open(without),
      'tokenizer-unsupported',
      '"tokenizer.ggml.pre" is missing and the vocabulary is not known',
    );
    expectRefusal(
      () => open(byteLevelContent('default')),
      'tokenizer-unsupported',
      '"tokenizer.ggml.pre" is "default"',
    );
    expectRefusal(
      () => open(byteLevelContent('chatglm-bpe')),
      'tokenizer-unsupported',
      'the pre-tokenizer "chatglm-bpe" is not supported',
    );
  });

  it('takes the text of every token back from its ids', () => {
    const tokenizer = open(byteLevelContent('llama-bpe'));
    for (const text of reference.texts) {
      const encoded = tokenizer.encode(text, { add_special_tokens: false }).ids;
      if (encoded.length > 0) expect(tokenizer.decode(encoded, { clean_up_tokenization_spaces: false })).toBe(text);
    }
  });

  it('puts the token that begins a text in front where the metadata, or else the pre-tokenizer, says so', () => {
    const begin = tokens.indexOf('<|im_start|>');
    const first = (content: GgufContent): number | undefined =>
      open(content).encode('a', { add_special_tokens: true }).ids[0];
    const letter = tokens.indexOf('a');
    expect(first(byteLevelContent('qwen2'))).toBe(letter);
    expect(first(byteLevelContent('llama-bpe'))).toBe(begin);
    expect(first(withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.add_bos_token': bool(true) }))).toBe(begin);
    expect(first(withMetadata(byteLevelContent('llama-bpe'), { 'tokenizer.ggml.add_bos_token': bool(false) }))).toBe(
      letter,
    );
    const none = withMetadata(byteLevelContent('llama-bpe'), { 'tokenizer.ggml.bos_token_id': undefined });
    expectRefusal(() => open(none), 'model-corrupt', 'bos_token_id');
  });

  it('takes what ends an answer for a token even where its type is that of text', () => {
    const types = tokens.map(() => 1);
    const content = withMetadata(byteLevelContent('qwen2'), {
      'tokenizer.ggml.token_type': { type: 'list', of: 'int32', value: types },
    });
    expect(open(content).encode('a<|im_end|>', { add_special_tokens: false }).ids).toEqual([
      tokens.indexOf('a'),
      tokens.indexOf('<|im_end|>'),
    ]);
  });
});

describe('a SentencePiece tokenizer', () => {
  const { ids, tokens } = reference.sentencePiece;

  it('puts a space in front of all that stands behind a special token, as published', () => {
    expect(tokenizerFiles(sentencePieceContent()).form).toBe('sentencepiece');
    expectIds(sentencePieceContent(), ids['prefixed']);
  });

  it('puts none in front where the metadata says so', () => {
    const content = withMetadata(sentencePieceContent(), { 'tokenizer.ggml.add_space_prefix': bool(false) });
    expectIds(content, ids['plain']);
  });

  it("puts one in front of the text only with Mistral's control tokens", () => {
    const renamed = tokens.map((token, id) => (id === 3 ? '[INST]' : token));
    const content = withMetadata(sentencePieceContent(), { 'tokenizer.ggml.tokens': strings(renamed) });
    const tokenizer = open(content);
    for (const [index, text] of reference.texts.entries()) {
      // The token that was renamed is the byte 0.
      if (text.includes('\0')) continue;
      const { ids: encoded } = tokenizer.encode(text, { add_special_tokens: false });
      expect([text, encoded]).toEqual([text, ids['first']?.[index]]);
    }
  });

  it("lets Phi-3's markers swallow the white space behind them", () => {
    const content = withMetadata(sentencePieceContent(), { 'general.architecture': string('phi3') });
    expectIds(content, ids['phi3']);
  });

  it('begins a text with the token of that name', () => {
    const content = withMetadata(sentencePieceContent(), { 'tokenizer.ggml.bos_token_id': undefined });
    expect(open(content).encode('', { add_special_tokens: true }).ids).toEqual([1]);
  });

  it('refuses tokens so long that taking them apart would not end', () => {
    const long = tokens.map((token, id) => (id > 600 && id < 700 ? `${'ab'.repeat(400)}${id}` : token));
    const content = withMetadata(sentencePieceContent(), { 'tokenizer.ggml.tokens': strings(long) });
    expect(open(content).encode('a').ids.length).toBeGreaterThan(0);
    const endless = long.map((token) => (token.length > 500 ? token.repeat(10) : token));
    expectRefusal(
      () => open(withMetadata(content, { 'tokenizer.ggml.tokens': strings(endless) })),
      'tokenizer-unsupported',
      'too long',
    );
  });
});

describe('readGgufTokenizer', () => {
  const { byteLevel, sentencePiece } = reference;
  const changedMerge = (merge: string): GgufContent =>
    withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.merges': strings(['Ġ Ġ', merge]) });
  const changedToken = (id: number, token: string): GgufContent =>
    withMetadata(byteLevelContent('qwen2'), {
      'tokenizer.ggml.tokens': strings(byteLevel.tokens.map((known, index) => (index === id ? token : known))),
    });

  it.each<readonly [string, GgufContent, RegExp]>([
    [
      'without tokens',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.tokens': undefined }),
      /no "tokenizer.ggml.tokens"/,
    ],
    [
      'with tokens that are numbers',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.tokens': uint32(7) }),
      /must be a list of strings, not 7/,
    ],
    [
      'of no kind',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.model': undefined }),
      /tokenizer "none" is not supported/,
    ],
    [
      'of another kind',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.model': string('bert') }),
      /tokenizer "bert" is not supported/,
    ],
    [
      'without merges',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.merges': undefined }),
      /must be a list of merges/,
    ],
    ['with a merge of one part', changedMerge('ab'), /merge 1, "ab", does not make a token of two tokens/],
    ['with a merge of unknown parts', changedMerge('漢 字'), /merge 1, "漢 字"/],
    ['with a merge to no token', changedMerge('z z'), /merge 1, "z z"/],
    ['with a token twice', changedToken(40, 'a'), /the tokens 40 and 64 are both "a"/],
    ['without a token for a letter', changedToken(64, '漢'), /no token is "a"/],
    [
      'with too few types',
      withMetadata(byteLevelContent('qwen2'), {
        'tokenizer.ggml.token_type': { type: 'list', of: 'int32', value: [1] },
      }),
      /has 1 entries for \d+ tokens/,
    ],
    [
      'with too few scores',
      withMetadata(sentencePieceContent(), { 'tokenizer.ggml.scores': { type: 'list', of: 'float32', value: [1] } }),
      /must be a list of \d+ numbers/,
    ],
    [
      'with an end token that is none',
      withMetadata(byteLevelContent('llama-bpe'), { 'tokenizer.ggml.bos_token_id': uint32(5000) }),
      /bos_token_id" must be a number from 0 to/,
    ],
    [
      'that removes white space',
      withMetadata(sentencePieceContent(), { 'tokenizer.ggml.remove_extra_whitespaces': bool(true) }),
      /removes white space/,
    ],
    [
      'with metadata that is not known',
      withMetadata(byteLevelContent('qwen2'), { 'tokenizer.ggml.prf': string('qwen2') }),
      /"tokenizer.ggml.prf" is not known/,
    ],
  ])('refuses a tokenizer %s', (_, content, message) => {
    expect(() => open(content)).toThrow(LocretError);
    expect(() => open(content)).toThrow(/^\/.*\.gguf/);
    expect(() => open(content)).toThrow(message);
  });

  it("takes the metadata that Ollama's converter adds", () => {
    const content = withMetadata(byteLevelContent('qwen2'), {
      'tokenizer.ggml.add_eos_token': bool(false),
      'tokenizer.ggml.add_unknown_token': bool(false),
      'tokenizer.ggml.add_padding_token': bool(false),
      'tokenizer.ggml.scores': { type: 'list', of: 'float32', value: byteLevel.tokens.map(() => 0) },
    });
    expectIds(content, byteLevel.ids['qwen2']);
  });

  it('refuses more tokens than the embedding has rows', () => {
    expectRefusal(
      () => tokenizerFiles(byteLevelContent('qwen2'), 500),
      'tokenizer-unsupported',
      'for an embedding of 500 rows',
    );
  });

  it('keeps padding and empty tokens out of the vocabulary', () => {
    const tokenizer = open(changedToken(byteLevel.tokens.indexOf('Ġhello'), ''));
    expect(tokenizer.token_to_id('[PAD967]')).toBeUndefined();
    expect(tokenizer.token_to_id('')).toBeUndefined();
    expect(tokenizer.token_to_id('<think>')).toBe(byteLevel.tokens.indexOf('<think>'));
  });

  it('makes no property of an object of a token by such a name', () => {
    const tokenizer = open(changedToken(byteLevel.tokens.indexOf('Ġhello'), '__proto__'));
    expect(tokenizer.token_to_id('__proto__')).toBe(byteLevel.tokens.indexOf('Ġhello'));
    expect(tokenizer.token_to_id('constructor')).toBeUndefined();
    expect(sentencePiece.tokens).not.toContain('__proto__');
  });
});
