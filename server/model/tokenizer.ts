/** Tokens of a text and where each begins. */
export interface TokenizedText {
  readonly ids: Int32Array;
  /** UTF-16 offset in the text at which each token's characters begin; ascending. */
  readonly starts: Int32Array;
}

/** Turns a stream of tokens into text; holds back incomplete UTF-8 sequences. */
export interface TokenStreamDecoder {
  push(token: number): string;
  end(): string;
}

/** The model's tokenizer. */
export interface ModelTokenizer {
  /** `special`: special tokens in the text are recognised and the template's begin-of-text token is added. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  encodeWithStarts(text: string): TokenizedText;
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  streamDecoder(): TokenStreamDecoder;
  tokenId(token: string): number | undefined;
  /** True when the vocabulary has `<|repo_name|>` and `<|file_sep|>` (as Qwen2.5-Coder). */
  readonly hasRepositoryTokens: boolean;
  /** The same text without anything the tokenizer would read as a special token: file content must not inject one. */
  neutralize(text: string): string;
}
