import type { TokenizerDefinition } from '../tokenizer.js';
import { answerEnds } from './chat.js';
import type { MetadataFields } from './metadata-fields.js';
import { preTokenizerNamed, preTokenizerNames, recognizePreTokenizer, type PreTokenizer } from './pre-tokenizers.js';
import { sentencePieceMerges } from './sentencepiece-merges.js';
import { tokenIdFor, TokenType, wrongTokenizer, type Vocabulary } from './vocabulary.js';

/** The parts of a `tokenizer.json` that differ between the kinds of tokenizers. */
interface Components {
  readonly model: object;
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
}

/**
 * The tokenizer of a GGUF file in the form of a `tokenizer.json`.
 * @throws LocretError tokenizer-unsupported naming the metadata, for one that is missing, damaged or of a kind that is
 *   not known: no pre-tokenizer is taken for another
 */
export function readGgufTokenizer(metadata: MetadataFields, vocabulary: Vocabulary): TokenizerDefinition {
  const origin = metadata.path;
  const model = metadata.string('tokenizer.ggml.model');
  if (model === 'gpt2') {
    const pre = readPreTokenizer(metadata, vocabulary);
    const components = byteLevel(metadata, vocabulary, pre);
    return { origin, form: 'byte-level', definition: definition(metadata, vocabulary, components, pre.addsBeginning) };
  }
  if (model === 'llama') {
    const components = sentencePiece(metadata, vocabulary);
    return { origin, form: 'sentencepiece', definition: definition(metadata, vocabulary, components, true) };
  }
  throw wrongTokenizer(
    metadata.path,
    `the tokenizer ${JSON.stringify(model ?? 'none')} is not supported, only "gpt2" (byte-level) and "llama" (SentencePiece)`,
  );
}

function definition(
  metadata: MetadataFields,
  vocabulary: Vocabulary,
  components: Components,
  addsBeginning: boolean,
): Readonly<Record<string, unknown>> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(metadata, vocabulary),
    post_processor: postProcessor(metadata, vocabulary, addsBeginning),
    ...components,
  };
}

function readPreTokenizer(metadata: MetadataFields, { tokens }: Vocabulary): PreTokenizer {
  const named = metadata.string('tokenizer.ggml.pre');
  // Files of early 2024 have "default" where their converter knew none.
  const name = named === undefined || named === 'default' ? recognizePreTokenizer(tokens) : named;
  const pre = name === undefined ? undefined : preTokenizerNamed(name);
  if (pre !== undefined) return pre;
  const what =
    name === undefined
      ? `"tokenizer.ggml.pre" ${named === undefined ? 'is missing' : 'is "default"'} and the vocabulary is not known, so there is no telling how text is taken apart`
      : `the pre-tokenizer ${JSON.stringify(name)} is not supported`;
  throw wrongTokenizer(metadata.path, `${what}; known are ${preTokenizerNames.join(', ')}`);
}

function byteLevel(metadata: MetadataFields, vocabulary: Vocabulary, pre: PreTokenizer): Components {
  const splits = pre.splits.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }));
  const bytes = { add_prefix_space: false, trim_offsets: true, use_regex: false };
  // Some vocabularies lack bytes that their training text never had; none lacks those that all code consists of.
  const missing = neededCharacters.find((character) => !vocabulary.ids.has(character));
  if (missing !== undefined) {
    throw wrongTokenizer(metadata.path, `no token is ${JSON.stringify(missing)} of GPT-2's alphabet of bytes`);
  }
  return {
    normalizer: pre.normalForm === undefined ? null : { type: pre.normalForm },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...splits, { type: 'ByteLevel', ...bytes }] },
    decoder: { type: 'ByteLevel', ...bytes },
    model: {
      ...plainBpe,
      vocab: Object.fromEntries(vocabulary.ids),
      merges: readMerges(metadata, vocabulary),
      ignore_merges: pre.ignoreMerges,
    },
  };
}

/** Printable ASCII, and what stands for a space, a line feed and a tab. */
const neededCharacters: readonly string[] = [
  ...Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCharCode(0x21 + index)),
  'Ġ',
  'Ċ',
  'ĉ',
];

const plainBpe = {
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
};

/** The merges, each of which must make a token of two tokens. */
function readMerges(metadata: MetadataFields, { ids }: Vocabulary): (readonly [string, string])[] {
  const merges = metadata.strings('tokenizer.ggml.merges');
  if (merges === undefined) throw metadata.wrong('tokenizer.ggml.merges', 'a list of merges');
  return merges.map((merge, index) => {
    const space = merge.indexOf(' ', 1);
    const pair = [merge.slice(0, space), merge.slice(space + 1)] as const;
    if (space > 0 && pair.every((part) => ids.has(part)) && ids.has(pair.join(''))) return pair;
    throw wrongTokenizer(
      metadata.path,
      `the merge ${index}, ${JSON.stringify(merge)}, does not make a token of two tokens`,
    );
  });
}

const spaceMark = '▁';

function sentencePiece(metadata: MetadataFields, vocabulary: Vocabulary): Components {
  const { path } = metadata;
  if (metadata.boolean('tokenizer.ggml.remove_extra_whitespaces') === true) {
    throw wrongTokenizer(path, 'a tokenizer that removes white space is not supported');
  }
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores?.length !== vocabulary.tokens.length) {
    throw metadata.wrong('tokenizer.ggml.scores', `a list of ${vocabulary.tokens.length} numbers, one per token`);
  }
  const unknown = vocabulary.tokens[tokenIdFor(metadata, 'unknown', vocabulary) ?? 0];
  const hasBytes = vocabulary.ids.has('<0x00>') && vocabulary.ids.has('<0xFF>');
  if (unknown === undefined && !hasBytes)
    throw wrongTokenizer(path, 'it has tokens neither for bytes nor for the unknown');
  const prefixed = metadata.boolean('tokenizer.ggml.add_space_prefix') ?? true;
  return {
    ...spaces(vocabulary, prefixed),
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: spaceMark }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      ...plainBpe,
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(vocabulary.ids),
      merges: sentencePieceMerges(path, vocabulary, scores),
    },
  };
}

/** How spaces become `▁`, and where one is put in front. */
function spaces({ tokens }: Vocabulary, prefixed: boolean): Pick<Components, 'normalizer' | 'pre_tokenizer'> {
  // Mistral's vocabularies with control tokens put one in front of a text; the others also behind each special token.
  if (prefixed && tokens[3] === '[INST]') {
    return {
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: spaceMark, prepend_scheme: 'first', split: false },
    };
  }
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: spaceMark };
  const prepend = { type: 'Prepend', prepend: spaceMark };
  return {
    normalizer: { type: 'Sequence', normalizers: prefixed ? [prepend, replace] : [replace] },
    pre_tokenizer: null,
  };
}

/** The tokens that are taken out of a text before anything else. */
function addedTokens(metadata: MetadataFields, { tokens, typeOf, ids }: Vocabulary): object[] {
  const phi3 =
    metadata.values.get('general.architecture') === 'phi3' && metadata.values.get('tokenizer.ggml.model') === 'llama';
  const added: object[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = typeOf(id);
    const special = type === TokenType.control || type === TokenType.unknown || answerEnds.has(content);
    if ((!special && type !== TokenType.userDefined) || ids.get(content) !== id) continue;
    added.push({
      id,
      content,
      single_word: false,
      lstrip: false,
      // Phi-3's markers swallow the white space behind them; the metadata has no room to say so.
      rstrip: phi3 && !phi3Keeping.has(content),
      normalized: false,
      special,
    });
  }
  return added;
}

const phi3Keeping: ReadonlySet<string> = new Set(['<unk>', '<s>', '<|endoftext|>']);

/** What puts the token that begins a text in front of it. */
function postProcessor(metadata: MetadataFields, vocabulary: Vocabulary, addsBeginning: boolean): object | null {
  if (!(metadata.boolean('tokenizer.ggml.add_bos_token') ?? addsBeginning)) return null;
  const id = tokenIdFor(metadata, 'bos', vocabulary) ?? vocabulary.ids.get('<s>');
  const token = id === undefined ? undefined : vocabulary.tokens[id];
  if (id === undefined || token === undefined) {
    throw metadata.wrong(
      'tokenizer.ggml.bos_token_id',
      'the id of the token that begins a text, as "add_bos_token" wants one',
    );
  }
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  const first = { Sequence: { id: 'A', type_id: 0 } };
  const second = { Sequence: { id: 'B', type_id: 1 } };
  return {
    type: 'TemplateProcessing',
    single: [begin, first],
    pair: [begin, first, second],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}
