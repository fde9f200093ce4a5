import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../server/contract/json.js';
import { openTokenizer } from '../../../server/model/hub-folder/open-tokenizer.js';
import type { ModelTokenizer } from '../../../server/model/tokenizer.js';
import { expectRefusal, fixture, modelFolder, readJson, type JsonObject } from './model-folder.js';

const nano = fileURLToPath(new URL('../../../models/nano', import.meta.url));
const folders = {
  nano,
  llama: fixture('llama'),
  qwen2: fixture('qwen2'),
  phi3: fixture('phi3'),
  llama2: fixture('sentencepiece-tokenizers/llama2'),
  gemma: fixture('sentencepiece-tokenizers/gemma'),
} as const;
const names = ['nano', 'llama', 'qwen2', 'phi3', 'llama2', 'gemma'] as const;

/** A fixture's tokenizer.json with some keys changed, in a folder of its own. */
function changedTokenizer(from: string, change: (definition: JsonObject) => JsonObject, config?: JsonObject): string {
  return modelFolder({
    'tokenizer.json': change(readJson(path.join(from, 'tokenizer.json'))),
    ...(config === undefined ? {} : { 'tokenizer_config.json': config }),
  });
}

function withAdded(from: string, ...tokens: readonly JsonObject[]): string {
  return changedTokenizer(from, (definition) => {
    const { added_tokens: added } = definition;
    const before: readonly unknown[] = Array.isArray(added) ? added : [];
    return { ...definition, added_tokens: [...before, ...tokens] };
  });
}

/** The text from each token's start to the next token that starts later. */
function spans(tokenizer: ModelTokenizer, text: string): (readonly [string, string])[] {
  const { ids, starts } = tokenizer.encodeWithStarts(text);
  return Array.from(ids, (id, index) => {
    const start = starts[index] ?? NaN;
    const next = starts.find((other) => other > start) ?? text.length;
    return [tokenizer.decode([id]), text.slice(start, next)] as const;
  });
}

/** Texts put together from awkward pieces, the same at every run. */
function* mixedTexts(count: number): Generator<string> {
  const letters = ['a', 'B', 'def ', '12', '=', ' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u2028', '\u0000', '\ufeff'];
  const composed = [
    'é',
    'e\u0301',
    '\u0323',
    '漢',
    '😀',
    '👨\u200d👩\u200d👧',
    '\u1100\u1161',
    '\u212b',
    'ﬁ',
    '\ud800',
  ];
  const markers = ['<|im_end|>', '<s>', '<|user|>', '<eos>', '<|eot_id|>', '<|', '|>', '<0x0A>', '▁', 'Ġ', '\u200b'];
  const pieces = [...letters, ...composed, ...markers];
  let state = 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  for (let made = 0; made < count; made++) {
    yield Array.from({ length: 1 + below(20) }, () => pieces[below(pieces.length)]).join('');
  }
}

describe('encodeWithStarts', () => {
  const code = 'def größe(x):\n\treturn "日本 😀"  # e\u0301\r\n\n    pass\n';

  it.each(names)('gives ascending offsets that begin with the text, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    const { ids, starts } = tokenizer.encodeWithStarts(code);
    expect(Array.from(ids)).toEqual(tokenizer.encode(code));
    expect(starts[0]).toBe(0);
    expect(Array.from(starts)).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.at(-1)).toBeLessThan(code.length);
  });

  it.each(names)('puts every token at the text it stands for, with %s', (name) => {
    const text = 'class A(B):\n    """Doc."""\n    x: int = 3\n\n\n    def f(self):\n        return self.x + 1\n';
    for (const [token, span] of spans(openTokenizer(folders[name]), text)) {
      expect(token.trimStart()).toBe(span.trimStart());
    }
  });

  it.each(names)('lets all tokens of one character begin where it begins, with %s', (name) => {
    const text = 'a\n😀\nb';
    const { starts } = openTokenizer(folders[name]).encodeWithStarts(text);
    expect(starts.some((start) => start === 2)).toBe(true);
    expect(starts.some((start) => start === 3)).toBe(false);
  });

  it('keeps places behind characters that normalization joins', () => {
    const tokenizer = openTokenizer(folders.qwen2);
    const text = 'e\u0301e\u0301 \u1100\u1161\u11a8 x\u0301\u0323;\u212b z\nq';
    const { ids, starts } = tokenizer.encodeWithStarts(text);
    expect(tokenizer.decode([...ids])).toBe(text.normalize('NFC'));
    expect([...starts].filter((start) => start < 5)).toEqual([0, 0, 2, 2, 4]);
    expect(starts.at(-1)).toBe(text.indexOf('q'));
    expect(starts).toContain(text.indexOf('z'));
    expect(starts).not.toContain(1);
  });

  it('puts a space that the tokenizer adds at the character behind it', () => {
    const tokenizer = openTokenizer(folders.llama2);
    expect([...tokenizer.encodeWithStarts('\tx').starts]).toEqual([0, 0, 1]);
    const { ids, starts } = tokenizer.encodeWithStarts('a<|user|>b');
    expect([...starts].slice([...ids].indexOf(772))).toEqual([1, 9]);
  });

  it('passes over white space that a token swallows', () => {
    const tokenizer = openTokenizer(folders.llama2);
    const text = '<|user|>\n \ndef';
    expect(tokenizer.encodeWithStarts(text).starts.at(-1)).toBe(text.indexOf('def'));
  });

  it('finds its place behind characters that the vocabulary lacks', () => {
    const folder = changedTokenizer(folders.llama2, (definition) => {
      const { model } = definition;
      return { ...definition, model: { ...(isJsonObject(model) ? model : {}), byte_fallback: false } };
    });
    const text = 'a 日本語 b\n日 c';
    const { starts } = openTokenizer(folder).encodeWithStarts(text);
    expect(starts).toContain(text.indexOf(' b'));
    expect(starts.at(-1)).toBe(text.indexOf(' c'));
  });

  it('meets the text again at the next line when a token stands for other characters', () => {
    const folder = changedTokenizer(folders.nano, (definition) => {
      const normalizer = { type: 'Replace', pattern: { String: 'two words' }, content: 'one' };
      return { ...definition, normalizer };
    });
    const text = 'x two words y\nlast';
    const { ids, starts } = openTokenizer(folder).encodeWithStarts(text);
    const last = openTokenizer(folder).encode('last').length;
    expect([...starts].slice(ids.length - last)[0]).toBe(text.indexOf('last'));
  });

  it.each(names)('takes a long line of one character, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    for (const character of [' ', 'a', '漢', 'e\u0301']) {
      const text = character.repeat(16384 / character.length);
      const { ids, starts } = tokenizer.encodeWithStarts(text);
      expect(starts).toHaveLength(ids.length);
      expect(starts.at(-1)).toBeLessThan(text.length);
    }
  });

  it.each(names)('keeps order and lines in texts of all kinds of characters, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    for (const text of mixedTexts(300)) {
      const { ids, starts } = tokenizer.encodeWithStarts(text);
      expect([...starts]).toEqual([...starts].sort((a, b) => a - b));
      expect(starts.at(-1) ?? 0).toBeLessThan(text.length);
      const lineFeeds = [...ids].flatMap((id, index) =>
        tokenizer.decode([id]) === '\n' ? [starts[index] ?? NaN] : [],
      );
      for (const start of lineFeeds) expect(text.charAt(start)).toBe('\n');
    }
  });

  it('gives nothing for an empty text', () => {
    for (const name of names) expect(openTokenizer(folders[name]).encodeWithStarts('').ids).toHaveLength(0);
  });
});

describe('streamDecoder', () => {
  it.each(names)('holds back incomplete characters, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    const text = 'x 日本 😀 é';
    const decoder = tokenizer.streamDecoder();
    const pieces = [...tokenizer.encode(text).map((id) => decoder.push(id)), decoder.end()];
    expect(pieces.join('')).toBe(text);
    expect(pieces.every((piece) => !piece.includes('\ufffd'))).toBe(true);
  });

  it('gives what is incomplete at the end as a replacement character', () => {
    const tokenizer = openTokenizer(folders.nano);
    const decoder = tokenizer.streamDecoder();
    expect(decoder.push(tokenizer.encode('😀')[0] ?? NaN)).toBe('');
    expect(decoder.end()).toBe('\ufffd');
  });

  it('leaves special tokens and ids without a token out', () => {
    const tokenizer = openTokenizer(folders.qwen2);
    const decoder = tokenizer.streamDecoder();
    expect([511, 412, 1_000_000].map((id) => decoder.push(id)).join('')).toBe(tokenizer.decode([412, 1_000_000]));
  });
});

describe('neutralize', () => {
  const markers = [
    '<|im_start|>system\n<|im_end|>',
    '<|im_<|im_end|>end|>',
    '<<|file_sep|>|file_sep|>',
    '<s></s><unk><pad><eos><bos>',
    '<|repo_name|>a/b\n<|file_sep|>x.py',
    '<|eot_id|><|begin_of_text|><|end_of_text|>',
    '<|user|>\n\n<|end|>\n<|assistant|>',
    '<start_of_turn>user<end_of_turn>',
    'plain text with < and <| and [INST] | >\r\n\ttab',
  ].join('\n');

  it.each(names)('leaves nothing that is read as a special token, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    const { added_tokens: added } = readJson(path.join(folders[name], 'tokenizer.json'));
    const parse: (text: string) => { id: number; content: string }[] = JSON.parse;
    const tokens = parse(JSON.stringify(added));
    const text = markers + tokens.map(({ content }) => content + content.slice(0, -1) + content).join('');
    const special = new Set(tokens.map(({ id }) => id));
    expect(tokenizer.encode(text).some((id) => special.has(id))).toBe(true);
    const neutral = tokenizer.neutralize(text);
    expect(tokenizer.encode(neutral).filter((id) => special.has(id))).toEqual([]);
    expect(tokenizer.neutralize(neutral)).toBe(neutral);
    expect(neutral.replaceAll('\u200b', '')).toBe(text);
    expect(neutral.split('\n')).toHaveLength(text.split('\n').length);
  });

  it.each(names)('lets no token in with texts of all kinds of characters, with %s', (name) => {
    const tokenizer = openTokenizer(folders[name]);
    const ids = ['<|im_end|>', '<s>', '<|user|>', '<eos>', '<|eot_id|>'].map((marker) => tokenizer.tokenId(marker));
    const special = new Set(ids.filter((id) => id !== undefined));
    expect(special.size).toBeGreaterThan(0);
    for (const text of mixedTexts(300)) {
      const neutral = tokenizer.neutralize(text);
      expect(tokenizer.encode(neutral).filter((id) => special.has(id))).toEqual([]);
      expect(tokenizer.neutralize(neutral)).toBe(neutral);
    }
  });

  it('breaks control tokens that are not special, and leaves added words and white space alone', () => {
    const folder = withAdded(
      folders.nano,
      { id: 4000, content: '<tool_call>', special: false, normalized: false },
      { id: 4001, content: 'keyword', special: false, normalized: false },
      { id: 4002, content: '    ', special: false, normalized: false },
      { id: 4003, content: '->', special: false, normalized: false },
    );
    expect(openTokenizer(folder).neutralize('<tool_call> keyword     ->')).toBe('<\u200btool_call> keyword     ->');
  });

  it('breaks a marker that only normalization makes', () => {
    const folder = changedTokenizer(folders.nano, (definition) => ({ ...definition, normalizer: { type: 'NFKC' } }));
    const added = withAdded(folder, { id: 4000, content: '<tool_call>', special: false, normalized: true });
    const tokenizer = openTokenizer(added);
    const text = 'é ＜tool_call＞\n';
    expect(tokenizer.encode(text)).toContain(4000);
    const neutral = tokenizer.neutralize(text);
    expect(tokenizer.encode(neutral)).not.toContain(4000);
    expect(neutral).toBe('é <\u200btool_call>\n');
  });
});

describe('openTokenizer', () => {
  it('knows the repository tokens of nano', () => {
    const tokenizer = openTokenizer(folders.nano);
    expect(tokenizer.hasRepositoryTokens).toBe(true);
    expect(tokenizer.tokenId('<|file_sep|>')).toBe(4);
    expect(tokenizer.tokenId('<|no_such_token|>')).toBeUndefined();
    expect(openTokenizer(folders.qwen2).hasRepositoryTokens).toBe(false);
  });

  it('takes tokens and how they take white space from tokenizer_config.json, as transformers does', () => {
    const plain = { lstrip: false, rstrip: false, normalized: false, single_word: false, special: true };
    const config = {
      added_tokens_decoder: {
        '771': { ...plain, content: '<|end|>' },
        '773': { ...plain, content: '<|new|>' },
      },
    };
    const tokenizer = openTokenizer(changedTokenizer(folders.llama2, (definition) => definition, config));
    // Both lists are transformers' own.
    expect(tokenizer.encode('<|end|> \n a')).toEqual([771, 352, 352, 259, 357]);
    expect(tokenizer.encode('<|new|> a')).toEqual([773, 352, 357]);
    expect(openTokenizer(folders.llama2).encode('<|end|> \n a')).toEqual([771, 357]);
  });

  it('leaves out added tokens that the embedding has no row for', () => {
    const tokenizer = openTokenizer(folders.qwen2, 511);
    expect(tokenizer.tokenId('<|im_end|>')).toBeUndefined();
    expect(tokenizer.encode('<|im_end|>').every((id) => id < 511)).toBe(true);
  });

  it.each<readonly [string, string | object, RegExp]>([
    ['that is no JSON', '{"model":', /is not JSON/],
    ['that is a list', [], /must hold a JSON object/],
    ['without a model', {}, /"model" must be an object, not nothing/],
    ['of another kind', { model: { type: 'WordPiece' } }, /"model.type" must be "BPE", not "WordPiece"/],
    ['without a decoder', { model: { type: 'BPE' } }, /"decoder" must be/],
    ['with a vocabulary that is a list', bpe({ vocab: [] }), /"model.vocab" must be/],
    ['with a negative id', bpe({ vocab: { a: -1 } }), /"model.vocab" must be/],
    ['with an id beyond the embedding', bpe({ vocab: { a: 9 } }), /"model.vocab" must be .* from 0 to 8/],
    ['without merges', bpe({ vocab: { a: 1 } }), /cannot be used/],
    [
      'with an added token without an id',
      { ...bpe({ vocab: {} }), added_tokens: [{ content: 'x' }] },
      /"added_tokens"/,
    ],
    [
      'with a pattern that is no pattern',
      { ...bpe({ vocab: {}, merges: [] }), pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } },
      /cannot be used/,
    ],
    [
      'with a part that does not exist',
      { ...bpe({ vocab: {}, merges: [] }), normalizer: { type: 'Nothing' } },
      /cannot be used: .*Nothing/,
    ],
  ])('refuses a tokenizer.json %s, naming the file', (_, content, message) => {
    const folder = modelFolder({ 'tokenizer.json': content });
    expectRefusal(() => openTokenizer(folder, 9), 'tokenizer-unsupported', 'tokenizer.json', message);
  });

  it('refuses a folder without tokenizer.json, and a tokenizer_config.json that is no object', () => {
    expectRefusal(() => openTokenizer(modelFolder({})), 'tokenizer-unsupported', 'tokenizer.json is missing');
    const folder = changedTokenizer(folders.nano, (definition) => definition);
    const broken = modelFolder({ 'tokenizer_config.json': '7' }, { from: folder, names: ['tokenizer.json'] });
    expectRefusal(() => openTokenizer(broken), 'tokenizer-unsupported', 'tokenizer_config.json must hold');
  });
});

function bpe(model: JsonObject): JsonObject {
  return { model: { type: 'BPE', ...model }, decoder: { type: 'ByteLevel' } };
}
