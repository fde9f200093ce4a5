import { fstatSync } from 'node:fs';
import type { LocretError } from '../../errors.js';
import type { Refusal } from '../json-fields.js';
import { readFully, refuse } from '../weight-file.js';

/** The longest header that is read. Vocabularies of 256,000 tokens with merges and scores take some 20 MB. */
export const largestHeader = 64 * 1024 * 1024;
/** Bytes read from the file at once. */
const pieceBytes = 256 * 1024;

/**
 * Reads the values of a GGUF header one after another (little-endian). Every length is checked against the file's size
 * before anything is allocated for it.
 */
export class HeaderReader {
  private at = 0;
  private buffer = Buffer.alloc(0);
  /** Where in the file the buffer begins. */
  private bufferBegin = 0;
  /** What is being read, for error messages. */
  private subject = 'its beginning';
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true });
  readonly fileSize: number;

  constructor(
    readonly path: string,
    private readonly refusal: Refusal,
    private readonly descriptor: number,
  ) {
    this.fileSize = fstatSync(descriptor).size;
  }

  /** Bytes read so far: where the next value begins. */
  get position(): number {
    return this.at;
  }

  /** Bytes of the file that are left. */
  get left(): number {
    return this.fileSize - this.at;
  }

  /** Says what is read next; the error about a file that ends inside of it names it. */
  reading(subject: string): void {
    this.subject = subject;
  }

  /** An error about this file, with the refusal's code. */
  refuse(what: string, cause?: unknown): LocretError {
    return refuse(this.path, this.refusal, what, cause);
  }

  /** The next bytes; they are overwritten by the next read. */
  bytes(count: number): Uint8Array {
    const begin = this.advance(count);
    return this.buffer.subarray(begin, begin + count);
  }

  /** Bytes at any place of the file, as many of them as it has; the position stays. */
  bytesAt(begin: number, count: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, count));
    return bytes.subarray(0, readFully(this.descriptor, bytes, begin));
  }

  uint8(): number {
    return this.value(1).getUint8(0);
  }

  int8(): number {
    return this.value(1).getInt8(0);
  }

  uint16(): number {
    return this.value(2).getUint16(0, true);
  }

  int16(): number {
    return this.value(2).getInt16(0, true);
  }

  uint32(): number {
    return this.value(4).getUint32(0, true);
  }

  int32(): number {
    return this.value(4).getInt32(0, true);
  }

  float32(): number {
    return this.value(4).getFloat32(0, true);
  }

  float64(): number {
    return this.value(8).getFloat64(0, true);
  }

  uint64(): bigint {
    return this.value(8).getBigUint64(0, true);
  }

  int64(): bigint {
    return this.value(8).getBigInt64(0, true);
  }

  /**
   * A count of things that follow, each of at least some bytes.
   * @throws LocretError when the file is too short for them, or there are more than the limit
   */
  count(what: string, bytesEach: number, limit: number): number {
    const begin = this.advance(8);
    const declared = this.buffer.readUInt32LE(begin) + this.buffer.readUInt32LE(begin + 4) * 2 ** 32;
    const possible = Math.min(limit, Math.floor(this.left / bytesEach));
    if (declared > possible)
      throw this.refuse(`declares ${declared} ${what} in ${this.subject}; at most ${possible} are possible here`);
    return declared;
  }

  /** A string: its length in bytes, and its UTF-8. */
  string(limit: number): string {
    const length = this.count('bytes of text', 1, limit);
    const begin = this.advance(length);
    const text = this.buffer.toString('utf8', begin, begin + length);
    // Only what was wrong becomes U+FFFD, unless the text itself has that character.
    if (text.includes('\ufffd')) this.checkUtf8(begin, length);
    return text;
  }

  private checkUtf8(begin: number, length: number): void {
    try {
      this.utf8.decode(this.buffer.subarray(begin, begin + length));
    } catch (error) {
      throw this.refuse(`has text that is not UTF-8 in ${this.subject}`, error);
    }
  }

  private value(bytes: number): DataView {
    const begin = this.advance(bytes);
    return new DataView(this.buffer.buffer, this.buffer.byteOffset + begin, bytes);
  }

  /** Passes over `count` bytes that come next; the offset at which they begin in the buffer. */
  private advance(count: number): number {
    const end = this.at + count;
    if (end > this.bufferBegin + this.buffer.length) this.fill(count);
    const begin = this.at - this.bufferBegin;
    this.at = end;
    return begin;
  }

  private fill(count: number): void {
    if (count > this.left) throw this.refuse(`ended inside of ${this.subject}: it has ${this.fileSize} bytes`);
    if (this.at + count > largestHeader) throw this.refuse(`has a header of more than ${largestHeader} bytes`);
    const wanted = Math.min(Math.max(count, pieceBytes), this.left);
    const buffer = Buffer.allocUnsafe(wanted);
    const read = readFully(this.descriptor, buffer, this.at);
    if (read < wanted) throw this.refuse(`ended inside of ${this.subject}: it was cut while in use`);
    this.buffer = buffer;
    this.bufferBegin = this.at;
  }
}
