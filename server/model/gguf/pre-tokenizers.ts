/** How a byte-level tokenizer takes a text apart before it merges, as the `tokenizer.json` of its models has it. */
export interface PreTokenizer {
  /** Unicode normal form that the text is brought into; absent where it stays as it is. */
  readonly normalForm?: 'NFC';
  /** What is split off, one after another: Oniguruma patterns, every match a piece of its own. */
  readonly splits: readonly string[];
  /** A piece that is a token is taken as such, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** Whether the token that begins a text is put in front where the metadata does not say. */
  readonly addsBeginning: boolean;
}

const plain = { ignoreMerges: false, addsBeginning: false };

/** GPT-2's pattern, which the byte-level pre-tokenizer brings along. */
const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const behindWords = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const eastAsian = '[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+';
/** The letters with case of an early Unicode, as DeepSeek LLM lists them. */
const casedLetters =
  'A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376' +
  '\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f' +
  '\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77' +
  '\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d' +
  '\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4' +
  '\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139' +
  '\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d' +
  '\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a' +
  '\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}' +
  '\u{118a0}-\u{118df}\u{1e900}-\u{1e943}';
/** Words by their case, as o200k and Tekken take them: up to the last lower-case letter, or all upper case. */
const casedWords = [
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+',
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*',
] as const;
const behindCasedWords = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const singleDigits: PreTokenizer = { ...plain, splits: ['\\p{N}', gpt2Words] };
const cl100k = [`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${behindWords}`];
const qwen2: PreTokenizer = {
  ...plain,
  normalForm: 'NFC',
  splits: [`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${behindWords}`],
};
const llama3: PreTokenizer = { splits: cl100k, ignoreMerges: true, addsBeginning: true };

/** By the names that llama.cpp's converter gives them (`tokenizer.ggml.pre`). */
const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map<string, PreTokenizer>([
  ['gpt-2', { ...plain, splits: [gpt2Words] }],
  ['starcoder', singleDigits],
  ['refact', singleDigits],
  ['smollm', singleDigits],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['dbrx', { ...plain, splits: cl100k }],
  [
    'gpt-4o',
    {
      ...plain,
      splits: [`${casedWords[0]}${contractions}?|${casedWords[1]}${contractions}?|\\p{N}{1,3}|${behindCasedWords}`],
    },
  ],
  [
    'tekken',
    {
      splits: [`${casedWords[0]}|${casedWords[1]}|\\p{N}|${behindCasedWords}`],
      ignoreMerges: true,
      addsBeginning: true,
    },
  ],
  ['deepseek-coder', { ...plain, splits: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', eastAsian, '\\p{N}'] }],
  [
    'deepseek-llm',
    {
      ...plain,
      splits: [
        '[\\r\\n]',
        `\\s?[${casedLetters}]+`,
        '\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+',
        '\\s+$',
        eastAsian,
        '\\p{N}',
      ],
    },
  ],
  [
    'deepseek-v3',
    {
      ...plain,
      splits: [
        '\\p{N}{1,3}',
        '[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+',
        '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|' +
          ' ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
      ],
    },
  ],
]);

/** What a file's `tokenizer.ggml.pre` names; undefined for a name that is not known. */
export function preTokenizerNamed(name: string): PreTokenizer | undefined {
  return preTokenizers.get(name);
}

/** The names that are known. */
export const preTokenizerNames: readonly string[] = [...preTokenizers.keys()];

/** Tokens at places that only the vocabularies of one pre-tokenizer have so. */
const knownVocabularies: readonly (readonly [
  name: string,
  ...marks: readonly (readonly [id: number, token: string])[],
])[] = [
  ['qwen2', [151643, '<|endoftext|>'], [151644, '<|im_start|>']],
  ['deepseek-r1-qwen', [151643, '<｜end▁of▁sentence｜>'], [151646, '<｜begin▁of▁sentence｜>']],
  ['llama-bpe', [128000, '<|begin_of_text|>'], [128001, '<|end_of_text|>']],
  ['smollm', [1, '<|im_start|>'], [3, '<repo_name>']],
  ['starcoder', [0, '<|endoftext|>'], [1, '<fim_prefix>']],
  ['deepseek-coder', [32013, '<｜begin▁of▁sentence｜>'], [32014, '<｜end▁of▁sentence｜>']],
  ['deepseek-llm', [100000, '<｜begin▁of▁sentence｜>'], [100001, '<｜end▁of▁sentence｜>']],
  ['deepseek-v3', [0, '<｜begin▁of▁sentence｜>'], [128000, '<｜place▁holder▁no▁0｜>']],
  ['tekken', [1, '<s>'], [3, '[INST]'], [1000, 'Ā']],
  ['dbrx', [100257, '<|endoftext|>'], [100264, '<|im_start|>']],
  ['gpt-4o', [199999, '<|endoftext|>'], [200018, '<|endofprompt|>']],
  ['gpt-2', [220, 'Ġ'], [50256, '<|endoftext|>']],
];

/**
 * The pre-tokenizer of a byte-level vocabulary whose file does not name one, as those of before May 2024; undefined
 * for a vocabulary that is not known.
 */
export function recognizePreTokenizer(tokens: readonly string[]): string | undefined {
  return knownVocabularies.find(([, ...marks]) => marks.every(([id, token]) => tokens[id] === token))?.[0];
}
