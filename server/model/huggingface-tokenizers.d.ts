// The package's own declarations import each other without file extensions, which Node's module resolution does not
// follow. This is the part of them that is used here.
declare module '@huggingface/tokenizers' {
  export interface AddedToken {
    readonly content: string;
    readonly id: number;
    readonly special: boolean;
  }

  export class Tokenizer {
    constructor(definition: object, settings: object);
    readonly normalizer: { normalize(text: string): string } | null;
    readonly model: { readonly unk_token_id: number | undefined } | null;
    readonly decoder: { decode(tokens: readonly string[]): string } | null;
    encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
    decode(
      ids: readonly number[],
      options?: { skip_special_tokens?: boolean; clean_up_tokenization_spaces?: boolean },
    ): string;
    token_to_id(token: string): number | undefined;
    id_to_token(id: number): string | undefined;
    get_added_tokens_decoder(): Map<number, AddedToken>;
  }
}
