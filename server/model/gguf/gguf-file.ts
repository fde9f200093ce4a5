import { createHash } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { endianness } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { LocretError, messageOf } from '../../errors.js';
import type { Refusal } from '../json-fields.js';
import { decodePieces, encodedBytes } from '../weight-encoding.js';
import { openRegularFile, readFully, refuse } from '../weight-file.js';
import { readGgufHeader, type GgufHeader, type GgufTensorEntry } from './header.js';
import { MetadataFields } from './metadata-fields.js';
import type { GgufValue } from './metadata-values.js';

/** What a damaged GGUF file is answered with. */
export const damagedGguf: Refusal = {
  code: 'model-corrupt',
  remedy: 'Download the file again, or choose another model.',
};

const mostParts = 4096;

interface Part {
  readonly path: string;
  readonly descriptor: number;
  readonly header: GgufHeader;
}

/** A tensor and the file it lies in. */
export interface GgufTensor extends GgufTensorEntry {
  readonly path: string;
  readonly descriptor: number;
}

/** A GGUF model, of one file or of several parts; only headers are read when it is opened. */
export class GgufFile {
  private closed = false;

  private constructor(
    /** Absolute; of the first part when there are several. */
    readonly path: string,
    private readonly parts: readonly Part[],
    readonly metadata: MetadataFields,
    readonly tensors: ReadonlyMap<string, GgufTensor>,
    /** Changes with the size, modification time or header of any part. */
    readonly fingerprint: string,
  ) {}

  /**
   * Opens a GGUF file. Of a file in parts (`…-00001-of-00003.gguf`) all are opened, whichever is given.
   * @throws LocretError model-unsupported for another format, version or encoding; model-corrupt for a damaged file or
   *   a missing part, naming it
   */
  static open(path: string): GgufFile {
    if (endianness() !== 'LE') {
      throw new LocretError('engine-failed', 'This processor is big-endian.', 'Use a little-endian machine.');
    }
    const parts: Part[] = [];
    try {
      for (const partPath of partPaths(resolve(path))) parts.push(openPart(partPath));
      const [first] = parts;
      if (first === undefined) throw new RangeError('a file has at least one part');
      const tensors = joinParts(parts);
      const metadata = new MetadataFields(first.path, first.header.metadata, damagedGguf);
      return new GgufFile(first.path, parts, metadata, tensors, fingerprintOf(parts));
    } catch (error) {
      for (const { descriptor } of parts) closeSync(descriptor);
      throw error;
    }
  }

  /**
   * A tensor that must be of this shape, slowest dimension first as safetensors files have it: `[rows, columns]`.
   * @throws LocretError model-corrupt naming the tensor and what was expected
   */
  expect(name: string, shape: readonly number[]): GgufTensor {
    const tensor = this.tensors.get(name);
    const expected = `a tensor "${name}" of shape [${shape.join(', ')}]`;
    if (tensor === undefined) throw refuse(this.path, damagedGguf, `has no tensor "${name}"; expected ${expected}`);
    const found = tensor.dimensions.toReversed();
    if (found.length !== shape.length || found.some((size, axis) => size !== shape[axis])) {
      throw refuse(
        tensor.path,
        damagedGguf,
        `has a tensor "${name}" of shape [${found.join(', ')}]; expected ${expected}`,
      );
    }
    return tensor;
  }

  /** Some bytes of a tensor as they are stored. */
  readBytes(tensor: GgufTensor, begin: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    this.readInto(tensor, begin, bytes);
    return bytes;
  }

  /**
   * Numbers of a tensor as float32.
   * @param first index of the first number wanted, in the order of the file; a multiple of the encoding's block length
   * @param count how many; also a multiple
   */
  readFloats(tensor: GgufTensor, first: number, count: number): Float32Array<ArrayBuffer> {
    const begin = encodedBytes(tensor.encoding, first);
    return decodePieces(tensor.encoding, count, (target, offset) => {
      this.readInto(tensor, begin + offset, target);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const { descriptor } of this.parts) closeSync(descriptor);
  }

  private readInto(tensor: GgufTensor, begin: number, target: Uint8Array): void {
    if (this.closed) throw new Error(`${this.path} is closed`);
    const { name, path } = tensor;
    const from = tensor.begin + begin;
    if (begin < 0 || from + target.length > tensor.end) {
      throw new RangeError(`bytes ${begin} to ${begin + target.length} of "${name}" are outside of it`);
    }
    let read: number;
    try {
      read = readFully(tensor.descriptor, target, from);
    } catch (error) {
      throw refuse(path, damagedGguf, `cannot be read at tensor "${name}": ${messageOf(error)}`, error);
    }
    if (read < target.length) {
      throw refuse(path, damagedGguf, `ended inside of tensor "${name}": it was cut while in use`);
    }
  }
}

/** The paths of all parts of the file that one of them belongs to; the path itself when it is whole. */
function partPaths(path: string): string[] {
  const named = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/i.exec(basename(path));
  const count = Number(named?.[3] ?? 1);
  if (named === null || count < 2) return [path];
  if (count > mostParts)
    throw refuse(path, damagedGguf, `is named as one of ${count} parts; at most ${mostParts} are read`);
  const suffix = path.slice(-5);
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(5, '0');
    return join(dirname(path), `${named[1] ?? ''}${number}-of-${named[3] ?? ''}${suffix}`);
  });
}

function openPart(path: string): Part {
  const descriptor = openRegularFile(path, damagedGguf);
  try {
    return { path, descriptor, header: readGgufHeader(path, descriptor, damagedGguf) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The tensors of all parts; what each part says of itself (`split.no`, `split.count`) must agree with its name. */
function joinParts(parts: readonly Part[]): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  let declared: number | undefined;
  for (const [index, { path, descriptor, header }] of parts.entries()) {
    const wrong = (what: string): LocretError => refuse(path, damagedGguf, what);
    const count = header.metadata.get('split.count') ?? 1;
    if (count !== parts.length && !(parts.length === 1 && count === 0)) {
      throw wrong(
        `says that it is one of ${describeValue(count)} parts, but its name that it is one of ${parts.length}; parts ` +
          'are named as in "model-00001-of-00003.gguf"',
      );
    }
    const number = header.metadata.get('split.no');
    if (parts.length > 1 && number !== index) {
      throw wrong(`says that its "split.no" is ${describeValue(number)}; expected ${index}`);
    }
    declared ??= totalTensors(header.metadata.get('split.tensors.count'));
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) throw wrong(`has the tensor "${tensor.name}", which an earlier part also has`);
      tensors.set(tensor.name, { ...tensor, path, descriptor });
    }
  }
  if (declared !== undefined && declared !== tensors.size) {
    const path = parts[0]?.path ?? '';
    throw refuse(path, damagedGguf, `says that its parts have ${declared} tensors; they have ${tensors.size}`);
  }
  return tensors;
}

function totalTensors(value: GgufValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function describeValue(value: GgufValue | undefined): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : 'no number';
}

function fingerprintOf(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const { path, descriptor, header } of parts) {
    const { size, mtimeMs } = fstatSync(descriptor);
    hash.update(`${basename(path)} ${size} ${mtimeMs}\n`);
    const text = new Uint8Array(Math.min(header.dataBegin, size));
    hash.update(text.subarray(0, readFully(descriptor, text, 0)));
  }
  return hash.digest('hex');
}
