import { Tokenizer } from '@huggingface/tokenizers';
import { LocretError, messageOf } from '../errors.js';
import { markerBreaker } from './control-markers.js';
import type { Refusal } from './json-fields.js';
import { TokenBytes, type TokenForm } from './token-bytes.js';
import { tokenStarts } from './token-starts.js';

/** Tokens of a text and where each begins. */
export interface TokenizedText {
  readonly ids: Int32Array;
  /** UTF-16 offset in the text at which each token's characters begin; ascending. */
  readonly starts: Int32Array;
}

/** Turns a stream of tokens into text; holds back incomplete UTF-8 sequences and leaves special tokens out. */
export interface TokenStreamDecoder {
  push(token: number): string;
  end(): string;
}

/** The model's tokenizer. Special tokens written in a text are recognised as such: see `neutralize`. */
export interface ModelTokenizer {
  /** `addSpecialTokens`: with the tokens the tokenizer puts around a text, such as the one that begins it. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  /** The same ids as `encode`, with their places. */
  encodeWithStarts(text: string): TokenizedText;
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  streamDecoder(): TokenStreamDecoder;
  tokenId(token: string): number | undefined;
  /** True when the vocabulary has `<|repo_name|>` and `<|file_sep|>` (as Qwen2.5-Coder). */
  readonly hasRepositoryTokens: boolean;
  /** The same text without anything the tokenizer would read as a special token: file content must not inject one. */
  neutralize(text: string): string;
}

/** A tokenizer as a model brings it, checked as far as the tokenizers package does not check it itself. */
export interface TokenizerDefinition {
  /** Where it is written, for error messages. */
  readonly origin: string;
  readonly form: TokenForm;
  /** In the form of a `tokenizer.json`. */
  readonly definition: Readonly<Record<string, unknown>>;
}

/** Why a tokenizer is refused. */
export const unsupportedTokenizer: Refusal = {
  code: 'tokenizer-unsupported',
  remedy: 'Download the model again, or choose one whose folder has a tokenizer.json as transformers writes it.',
};

/** @throws LocretError tokenizer-unsupported for one that cannot encode */
export function createTokenizer({ origin, form, definition }: TokenizerDefinition): ModelTokenizer {
  try {
    return new BpeTokenizer(new Tokenizer(definition, {}), form);
  } catch (error) {
    throw new LocretError(
      unsupportedTokenizer.code,
      `${origin} cannot be used: ${messageOf(error)}.`,
      unsupportedTokenizer.remedy,
      { cause: error },
    );
  }
}

const repositoryTokens = ['<|repo_name|>', '<|file_sep|>'];

class BpeTokenizer implements ModelTokenizer {
  readonly hasRepositoryTokens: boolean;
  readonly neutralize: (text: string) => string;
  private readonly bytes: TokenBytes;
  private readonly special: ReadonlySet<number>;
  private readonly unknown: number | undefined;
  /** True when decoding takes away one space at the beginning, which encoding put there. */
  private readonly dropsFirstSpace: boolean;

  constructor(
    private readonly tokenizer: Tokenizer,
    form: TokenForm,
  ) {
    const added = tokenizer.get_added_tokens_decoder();
    this.bytes = new TokenBytes(tokenizer, form);
    this.special = new Set([...added.values()].filter((token) => token.special).map((token) => token.id));
    this.unknown = tokenizer.model?.unk_token_id;
    this.dropsFirstSpace = tokenizer.decoder?.decode(['▁a']) === 'a';
    this.hasRepositoryTokens = repositoryTokens.every((token) => this.tokenId(token) !== undefined);
    this.neutralize = markerBreaker(added.values(), (text) => this.normalize(text));
    // A tokenizer that cannot encode fails here, where its file is named.
    if (!this.encode('a b\n', { addSpecialTokens: true }).every(Number.isSafeInteger)) {
      throw new Error('it gives tokens that have no id');
    }
  }

  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[] {
    return this.tokenizer.encode(text, { add_special_tokens: options?.addSpecialTokens === true }).ids;
  }

  encodeWithStarts(text: string): TokenizedText {
    const ids = Int32Array.from(this.encode(text));
    const starts = tokenStarts(text, ids, {
      bytesOf: (id) => this.bytes.of(id),
      unknown: this.unknown,
      normalize: (characters) => this.normalize(characters),
    });
    return { ids, starts };
  }

  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string {
    const known = ids.filter((id) => this.tokenizer.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    return this.tokenizer.decode(known, {
      skip_special_tokens: options?.skipSpecialTokens === true,
      // It takes spaces before punctuation away, also from code; transformers ignores it for BPE as well.
      clean_up_tokenization_spaces: false,
    });
  }

  streamDecoder(): TokenStreamDecoder {
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    let first = this.dropsFirstSpace;
    return {
      push: (token) => {
        if (this.special.has(token)) return '';
        const text = utf8.decode(this.bytes.of(token), { stream: true });
        if (!first || text === '') return text;
        first = false;
        return text.startsWith(' ') ? text.slice(1) : text;
      },
      end: () => utf8.decode(),
    };
  }

  tokenId(token: string): number | undefined {
    return this.tokenizer.token_to_id(token);
  }

  /** What the normalizer makes of a text; SentencePiece's `▁` is a space. */
  private normalize(text: string): string {
    const { normalizer } = this.tokenizer;
    return (normalizer === null ? text : normalizer.normalize(text)).replaceAll('▁', ' ');
  }
}
