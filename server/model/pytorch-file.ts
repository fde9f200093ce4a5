import { closeSync, fstatSync } from 'node:fs';
import { type LocretError, messageOf } from '../errors.js';
import { floatEncodings } from './weight-encoding.js';
import type { Refusal } from './json-fields.js';
import { type PickledTensor, readPickledTensors } from './pickled-tensors.js';
import { openRegularFile, readFully, refuse } from './weight-file.js';
import { readZipEntries, type StoredEntry } from './zip-entries.js';

const zipMagic = 0x04034b50;
const pickleName = '/data.pkl';
const largestPickle = 16 << 20;

/** Whether a file begins as the zip archives do that PyTorch writes; false where it cannot be read. */
export function isPytorchFile(path: string, refusal: Refusal): boolean {
  const descriptor = openRegularFile(path, refusal);
  try {
    const head = new Uint8Array(4);
    return readFully(descriptor, head, 0) === 4 && new DataView(head.buffer).getUint32(0, true) === zipMagic;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * An open PyTorch checkpoint (`.bin`, `.pt`; PyTorch 1.6 and later): a zip archive with one pickle that names tensors and
 * one file per storage. Nothing in it is run; see {@link readPickledTensors}. Errors carry the refusal's code.
 */
export class PytorchFile {
  private constructor(
    readonly path: string,
    private readonly refusal: Refusal,
    private readonly descriptor: number,
    readonly tensors: ReadonlyMap<string, PickledTensor>,
    private readonly storages: ReadonlyMap<string, StoredEntry>,
  ) {}

  /** Opens a file and reads what tensors it has, not their numbers. */
  static open(path: string, refusal: Refusal): PytorchFile {
    const descriptor = openRegularFile(path, refusal);
    const wrong = (what: string): LocretError => refuse(path, refusal, what);
    const read = (position: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length);
      try {
        return bytes.subarray(0, readFully(descriptor, bytes, position));
      } catch (error) {
        throw refuse(path, refusal, `cannot be read: ${messageOf(error)}`, error);
      }
    };
    try {
      const entries = readZipEntries(read, fstatSync(descriptor).size, wrong);
      const [pickle, ...others] = [...entries.values()].filter(({ name }) => name.endsWith(pickleName));
      if (pickle === undefined || others.length > 0) throw wrong('is a zip archive, but not one that PyTorch writes');
      if (pickle.length > largestPickle)
        throw wrong(`has a pickle of ${pickle.length} bytes; at most ${largestPickle} are expected`);
      const folder = pickle.name.slice(0, -pickleName.length);
      const order = entries.get(`${folder}/byteorder`);
      if (order !== undefined && Buffer.from(read(order.begin, order.length)).toString() !== 'little') {
        throw wrong('has numbers that are not little-endian');
      }
      const tensors = readPickledTensors(read(pickle.begin, pickle.length), wrong);
      const prefix = `${folder}/data/`;
      const storages = new Map(
        [...entries.values()].flatMap((entry) =>
          entry.name.startsWith(prefix) ? [[entry.name.slice(prefix.length), entry]] : [],
        ),
      );
      return new PytorchFile(path, refusal, descriptor, tensors, storages);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Numbers of a tensor as float32. */
  readFloats(name: string): Float32Array<ArrayBuffer> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw this.refuse(`has no tensor "${name}"`);
    const { storage, type, offset, shape } = tensor;
    const count = shape.reduce((product, size) => product * size, 1);
    const width = type === 'F32' ? 4 : 2;
    const entry = this.storages.get(storage);
    if (entry === undefined || (offset + count) * width > entry.length) {
      throw this.refuse(`has a tensor "${name}" of ${count} numbers that its storage does not hold`);
    }
    const result = new Float32Array(count);
    const stored = type === 'F32' ? new Uint8Array(result.buffer) : new Uint8Array(count * width);
    if (readFully(this.descriptor, stored, entry.begin + offset * width) < stored.length) {
      throw this.refuse(`ended inside of tensor "${name}"`);
    }
    if (type === 'F32') return result;
    floatEncodings[type === 'BF16' ? 'bfloat16' : 'float16'].decode(stored, result);
    return result;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** An error about this file, with the refusal's code. */
  refuse(what: string): LocretError {
    return refuse(this.path, this.refusal, what);
  }
}
