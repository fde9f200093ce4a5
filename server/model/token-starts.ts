/** What {@link tokenStarts} needs to know of a tokenizer. */
export interface TokenSurfaces {
  /** The UTF-8 bytes a token stands for. */
  bytesOf(id: number): Uint8Array;
  /** The token that stands for whatever the vocabulary lacks. */
  readonly unknown: number | undefined;
  /** What the tokenizer's normalizer makes of a few characters, with plain spaces. */
  normalize(characters: string): string;
}

/** Longest run of characters that is normalized as one; combining characters belong to what they combine with. */
const longestCluster = 64;
const lineFeed = 0x0a;
const spaceByte = 0x20;

const utf8 = new TextEncoder();
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * The UTF-16 offset at which each token's characters begin, found by walking the bytes of the tokens along the text.
 * Tokens that are parts of one character, or of characters that normalization joins, begin where the character begins.
 * A space the tokenizer puts in front begins at the character behind it; white space that a token swallows is passed
 * over. Where tokens and text part in another way, they meet again at the next line. Linear in the text.
 */
export function tokenStarts(text: string, ids: ArrayLike<number>, surfaces: TokenSurfaces): Int32Array {
  return new Walk(text, ids, surfaces).run();
}

/** UTF-16 units of a character. */
function widthOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}

class Walk {
  private readonly bytes: Uint8Array;
  /** Where each token begins in `bytes`, and behind the last their end. */
  private readonly begins: Int32Array;
  private readonly starts: Int32Array;
  private readonly character = new Uint8Array(4);
  /** The next token whose start is not known. */
  private token = 0;
  private byte = 0;
  private offset = 0;

  constructor(
    private readonly text: string,
    private readonly ids: ArrayLike<number>,
    private readonly surfaces: TokenSurfaces,
  ) {
    this.starts = new Int32Array(ids.length);
    this.begins = new Int32Array(ids.length + 1);
    const pieces = Array.from(ids, (id) => surfaces.bytesOf(id));
    let length = 0;
    for (const [index, piece] of pieces.entries()) {
      length += piece.length;
      this.begins[index + 1] = length;
    }
    this.bytes = new Uint8Array(length);
    for (const [index, piece] of pieces.entries()) this.bytes.set(piece, this.begins[index]);
  }

  run(): Int32Array {
    while (this.byte < this.bytes.length && this.offset < this.text.length) {
      const length = this.matchingBytes();
      if (length > 0) this.advance(length, this.characterWidth());
      else if (!this.passUnknown() && !this.passNormalized() && !this.passWhiteSpace() && !this.passLine()) break;
    }
    // Tokens behind the text, as when the tokenizer put a space in front of spaces, belong to its last character.
    if (this.offset >= this.text.length) this.offset = Math.max(0, this.text.length - 1);
    this.assign(Infinity);
    return this.starts;
  }

  /**
   * How many bytes the next character has, if they are the next bytes; otherwise 0.
   * @param characters UTF-16 units to look ahead in the text
   * @param bytes bytes to look ahead in the tokens
   */
  private matchingBytes(characters = 0, bytes = 0): number {
    const offset = this.offset + characters;
    const code = this.text.codePointAt(offset);
    if (code === undefined) return 0;
    if (code < 0x80) return this.bytes[this.byte + bytes] === code ? 1 : 0;
    const { written } = utf8.encodeInto(this.text.slice(offset, offset + widthOf(code)), this.character);
    return this.startsWith(this.character.subarray(0, written), bytes) ? written : 0;
  }

  private characterWidth(): number {
    return widthOf(this.text.codePointAt(this.offset) ?? 0);
  }

  private startsWith(expected: Uint8Array, ahead = 0): boolean {
    return expected.every((byte, index) => this.bytes[this.byte + ahead + index] === byte);
  }

  /** All tokens that begin before a byte begin at the present character. */
  private assign(untilByte: number): void {
    while (this.token < this.starts.length && (this.begins[this.token] ?? 0) < untilByte) {
      this.starts[this.token++] = this.offset;
    }
  }

  private advance(bytes: number, width: number): void {
    this.assign(this.byte + bytes);
    this.byte += bytes;
    this.offset += width;
  }

  /** An unknown token stands for one character, or for all up to the next known one. */
  private passUnknown(): boolean {
    const { unknown } = this.surfaces;
    if (unknown === undefined || this.ids[this.token] !== unknown || this.begins[this.token] !== this.byte)
      return false;
    this.advance(this.surfaces.bytesOf(unknown).length, this.characterWidth());
    if (this.ids[this.token] !== unknown) {
      while (this.offset < this.text.length && this.matchingBytes() === 0) this.offset += this.characterWidth();
    }
    return true;
  }

  /** Characters that the normalizer changed, joined or removed. */
  private passNormalized(): boolean {
    const next = this.text.slice(this.offset, this.offset + longestCluster);
    const cluster = graphemes.segment(next).containing()?.segment ?? next;
    const normalized = this.surfaces.normalize(cluster);
    // Some normalizers put a space in front of whatever they are given.
    if (normalized === cluster || normalized === ` ${cluster}`) return false;
    const expected = utf8.encode(normalized);
    const candidates = expected[0] === spaceByte ? [expected, expected.subarray(1)] : [expected];
    const found = candidates.find((candidate) => this.startsWith(candidate));
    if (found === undefined) return false;
    this.advance(found.length, cluster.length);
    return true;
  }

  /** A space that was put in front of what stands here, or white space that was left out. */
  private passWhiteSpace(): boolean {
    const spaceIsNext = this.bytes[this.byte] === spaceByte;
    const whiteSpace = /^\s*/.exec(this.text.slice(this.offset, this.offset + longestCluster))?.[0].length ?? 0;
    if (whiteSpace === 0 || (spaceIsNext && this.matchingBytes(0, 1) > 0)) {
      if (spaceIsNext) this.advance(1, 0);
      return spaceIsNext;
    }
    const allLeftOut = spaceIsNext && this.matchingBytes(whiteSpace, 1) > 0;
    this.offset += allLeftOut ? whiteSpace : 1;
    if (allLeftOut) this.advance(1, 0);
    return true;
  }

  private passLine(): boolean {
    const byte = this.bytes.indexOf(lineFeed, this.byte);
    const offset = this.text.indexOf('\n', this.offset);
    if (byte < 0 || offset < 0) return false;
    this.assign(byte);
    this.byte = byte;
    this.offset = offset;
    return true;
  }
}
