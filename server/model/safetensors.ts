import { createHash } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { endianness } from 'node:os';
import { isJsonObject, showJson } from '../contract/json.js';
import { LocretError, messageOf } from '../errors.js';
import type { Refusal } from './json-fields.js';
import { decodePieces, encodedBytes, floatEncodings, type WeightEncoding } from './weight-encoding.js';
import { openRegularFile, readFully, refuse } from './weight-file.js';

/** The longest header that is read; the format's own limit. */
const headerLimit = 100 * 1024 * 1024;
const mostDimensions = 8;

const bitsOfType: ReadonlyMap<string, number> = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['BOOL', 8],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
]);

const weightEncodings: ReadonlyMap<string, WeightEncoding> = new Map(
  Object.values(floatEncodings).map((encoding) => [encoding.name, encoding]),
);

/** The types that weights are stored in. */
export const weightTypes: readonly string[] = [...weightEncodings.keys()];

/** A tensor of a safetensors file; offsets count from the file's beginning. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * An open safetensors file (https://github.com/huggingface/safetensors#format). The header is checked whole when it is
 * opened: its length, names, types, shapes, sizes, and that the tensors cover the data without gaps or overlaps.
 * Tensors are read by position, one at a time. Errors carry the refusal's code and name the file and the tensor.
 */
export class SafetensorsFile {
  private descriptor: number | undefined;

  private constructor(
    readonly path: string,
    private readonly refusal: Refusal,
    descriptor: number,
    readonly tensors: ReadonlyMap<string, TensorEntry>,
    readonly metadata: ReadonlyMap<string, string>,
    /** Changes with the file's size, modification time or header. */
    readonly fingerprint: string,
  ) {
    this.descriptor = descriptor;
  }

  /** Opens a file and checks its header. */
  static open(path: string, refusal: Refusal): SafetensorsFile {
    if (endianness() !== 'LE') {
      throw new LocretError('engine-failed', 'This processor is big-endian.', 'Use a little-endian machine.');
    }
    const descriptor = openRegularFile(path, refusal);
    try {
      const stats = fstatSync(descriptor);
      const { text, dataBegin } = readHeader(path, refusal, descriptor, stats.size);
      const { tensors, metadata } = checkHeader(path, refusal, text, dataBegin, stats.size);
      const fingerprint = createHash('sha256').update(`${stats.size} ${stats.mtimeMs}\n${text}`).digest('hex');
      return new SafetensorsFile(path, refusal, descriptor, tensors, metadata, fingerprint);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** The entry of a tensor of exactly this shape and one of these types. */
  expect(name: string, shape: readonly number[], types: readonly string[]): TensorEntry {
    const entry = this.tensors.get(name);
    const expected = `a tensor "${name}" of shape [${shape.join(', ')}] and type ${types.join(' or ')}`;
    if (entry === undefined) throw this.refuse(`has no tensor "${name}"; expected ${expected}`);
    if (entry.shape.length !== shape.length || entry.shape.some((size, axis) => size !== shape[axis])) {
      throw this.refuse(`has a tensor "${name}" of shape [${entry.shape.join(', ')}]; expected ${expected}`);
    }
    if (!types.includes(entry.dtype)) {
      throw this.refuse(`has a tensor "${name}" of type ${entry.dtype}; expected ${expected}`);
    }
    return entry;
  }

  /** The raw bytes of a tensor, in a buffer of their own (so any typed array fits over it). */
  readBytes(entry: TensorEntry): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(entry.end - entry.begin);
    this.readInto(entry, bytes, entry.begin);
    return bytes;
  }

  /**
   * Numbers of a tensor of one of {@link weightTypes}, as they are stored.
   * @param first index of the first number wanted, in row-major order
   * @param count how many
   */
  readNumbers(entry: TensorEntry, first: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(encodedBytes(encodingOf(entry), count));
    this.readInto(entry, bytes, beginOfNumbers(entry, first, count));
    return bytes;
  }

  /** The same numbers as float32. */
  readFloats(entry: TensorEntry, first: number, count: number): Float32Array<ArrayBuffer> {
    const begin = beginOfNumbers(entry, first, count);
    return decodePieces(encodingOf(entry), count, (target, offset) => {
      this.readInto(entry, target, begin + offset);
    });
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  /** An error about this file, with the refusal's code. */
  refuse(what: string, cause?: unknown): LocretError {
    return refuse(this.path, this.refusal, what, cause);
  }

  private readInto(entry: TensorEntry, target: Uint8Array, position: number): void {
    if (this.descriptor === undefined) throw new Error(`${this.path} is closed`);
    let read: number;
    try {
      read = readFully(this.descriptor, target, position);
    } catch (error) {
      throw this.refuse(`cannot be read at tensor "${entry.name}": ${messageOf(error)}`, error);
    }
    if (read < target.length) throw this.refuse(`ended inside of tensor "${entry.name}": it was cut while in use`);
  }
}

/** How many numbers a tensor has. */
export function numbersOf({ shape }: TensorEntry): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** How the numbers of a tensor of weights are stored. @throws RangeError for a type that is not one of {@link weightTypes} */
export function encodingOf({ dtype, name }: TensorEntry): WeightEncoding {
  const encoding = weightEncodings.get(dtype);
  if (encoding === undefined) throw new RangeError(`"${name}" of type ${dtype} holds no weights`);
  return encoding;
}

/** Where some numbers of a tensor begin in the file. */
function beginOfNumbers(entry: TensorEntry, first: number, count: number): number {
  const encoding = encodingOf(entry);
  const begin = entry.begin + encodedBytes(encoding, first);
  if (first >= 0 && count >= 0 && begin + encodedBytes(encoding, count) <= entry.end) return begin;
  throw new RangeError(`numbers ${first} to ${first + count} of "${entry.name}" are outside of it`);
}

function readHeader(path: string, refusal: Refusal, descriptor: number, fileSize: number) {
  const lengthField = new Uint8Array(8);
  if (readFully(descriptor, lengthField, 0) < 8) {
    throw refuse(path, refusal, `has ${fileSize} bytes; a safetensors file has at least 8`);
  }
  const declared = new DataView(lengthField.buffer).getBigUint64(0, true);
  const limit = BigInt(Math.min(headerLimit, fileSize - 8));
  if (declared > limit) {
    throw refuse(path, refusal, `declares a header of ${declared} bytes; at most ${limit} are possible here`);
  }
  const length = Number(declared);
  const header = new Uint8Array(length);
  if (readFully(descriptor, header, 8) < length) throw refuse(path, refusal, 'ended inside of its header');
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(header), dataBegin: 8 + length };
  } catch (error) {
    throw refuse(path, refusal, 'has a header that is not UTF-8', error);
  }
}

function checkHeader(path: string, refusal: Refusal, text: string, dataBegin: number, fileSize: number) {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw refuse(path, refusal, `has a header that is not JSON: ${messageOf(error)}`, error);
  }
  if (!isJsonObject(header)) throw refuse(path, refusal, 'has a header that is not a JSON object');
  const entries: TensorEntry[] = [];
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') {
      entries.push(checkEntry(path, refusal, name, value, dataBegin, fileSize));
      continue;
    }
    if (!isJsonObject(value)) throw refuse(path, refusal, 'has "__metadata__" that is not a JSON object');
    for (const [key, item] of Object.entries(value)) {
      if (typeof item !== 'string') throw refuse(path, refusal, `has metadata ${showJson(key)} that is not a string`);
      metadata.set(key, item);
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = dataBegin;
  for (const entry of entries) {
    if (entry.begin !== reached) {
      const fault = entry.begin < reached ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw refuse(path, refusal, `has a tensor "${entry.name}" that ${fault}; tensors must follow one another`);
    }
    reached = entry.end;
  }
  if (reached !== fileSize) {
    throw refuse(path, refusal, `has ${fileSize} bytes; its header describes ${reached}`);
  }
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

function checkEntry(
  path: string,
  refusal: Refusal,
  name: string,
  value: unknown,
  dataBegin: number,
  fileSize: number,
): TensorEntry {
  const wrong = (what: string): LocretError => refuse(path, refusal, `has a tensor "${name}" ${what}`);
  if (!isJsonObject(value)) throw wrong('whose description is not a JSON object');
  const dtype = value['dtype'];
  const bits = typeof dtype === 'string' ? bitsOfType.get(dtype) : undefined;
  if (typeof dtype !== 'string' || bits === undefined) throw wrong(`of unknown type ${showJson(dtype)}`);
  const shape = naturalNumbers(value['shape']);
  if (shape === undefined || shape.length > mostDimensions)
    throw wrong(`of senseless shape ${showJson(value['shape'])}`);
  const numbers = shape.reduce((product, size) => product * size, 1);
  const bytes = (numbers * bits) / 8;
  if (!Number.isSafeInteger(numbers) || !Number.isSafeInteger(bytes)) {
    throw wrong(`of impossible shape [${shape.join(', ')}]`);
  }
  const offsets = naturalNumbers(value['data_offsets']);
  const [begin, end] = offsets ?? [];
  if (offsets?.length !== 2 || begin === undefined || end === undefined || begin > end) {
    throw wrong(`with senseless data_offsets ${showJson(value['data_offsets'])}`);
  }
  if (dataBegin + end > fileSize) {
    throw wrong(`that ends at byte ${dataBegin + end}, but the file has ${fileSize}: it is truncated`);
  }
  if (end - begin !== bytes) {
    throw wrong(`of ${end - begin} bytes; ${dtype} of shape [${shape.join(', ')}] has ${bytes}`);
  }
  return { name, dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function naturalNumbers(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter((item): item is number => Number.isSafeInteger(item) && Number(item) >= 0);
  return numbers.length === value.length ? numbers : undefined;
}
