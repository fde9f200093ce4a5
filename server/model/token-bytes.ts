import type { Tokenizer } from '@huggingface/tokenizers';
import { isJsonObject } from '../contract/json.js';

/** How a vocabulary writes bytes: GPT-2's table of 256 printable characters, or SentencePiece's `▁` and `<0x0A>`. */
export type TokenForm = 'byte-level' | 'sentencepiece';

/** The form of a `tokenizer.json`, told by its decoder; undefined for forms that no supported family has. */
export function tokenForm(decoder: unknown): TokenForm | undefined {
  const types = componentTypes(decoder, 'decoders');
  if (types.includes('ByteLevel')) return 'byte-level';
  const sentencePiece = ['Replace', 'ByteFallback', 'Fuse', 'Strip', 'Metaspace'];
  return types.length > 0 && types.every((type) => sentencePiece.includes(type)) ? 'sentencepiece' : undefined;
}

function componentTypes(component: unknown, list: string): string[] {
  if (!isJsonObject(component)) return [];
  const inner = component[list];
  if (component['type'] === 'Sequence' && Array.isArray(inner)) {
    return inner.flatMap((part: unknown) => componentTypes(part, list));
  }
  return typeof component['type'] === 'string' ? [component['type']] : [];
}

/** The text bytes (UTF-8, possibly part of a character) that each token of a vocabulary stands for. */
export class TokenBytes {
  private readonly known = new Map<number, Uint8Array>();
  private readonly added: ReadonlySet<number>;

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly form: TokenForm,
  ) {
    this.added = new Set(tokenizer.get_added_tokens_decoder().keys());
  }

  /** Empty for an id that is not in the vocabulary. */
  of(id: number): Uint8Array {
    let bytes = this.known.get(id);
    if (bytes === undefined) {
      bytes = this.compute(id);
      this.known.set(id, bytes);
    }
    return bytes;
  }

  private compute(id: number): Uint8Array {
    const token = this.tokenizer.id_to_token(id) ?? '';
    if (this.added.has(id)) return utf8.encode(token);
    if (this.form === 'sentencepiece') {
      const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
      return byte === undefined ? utf8.encode(token.replaceAll('▁', ' ')) : Uint8Array.of(parseInt(byte, 16));
    }
    const characters = Array.from(token);
    const bytes = characters.map((character) => byteOfCharacter.get(character));
    return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : utf8.encode(token);
  }
}

const utf8 = new TextEncoder();

/** GPT-2's table: printable Latin-1 bytes are themselves, the others follow from U+0100 in ascending order. */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const table = new Map<string, number>();
  let others = 0;
  for (let byte = 0; byte < 256; byte++) {
    table.set(String.fromCharCode(printable(byte) ? byte : 0x100 + others++), byte);
  }
  return table;
})();
