import { readFileSync } from 'node:fs';

export interface ReadTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

type Header = Readonly<
  Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly data_offsets: [number, number] }>
>;

/** Reads a safetensors file of float32 and int64 tensors, apart from the product's own reader. */
export function readTensors(file: string | URL): ReadonlyMap<string, ReadTensor> {
  const bytes = readFileSync(file);
  const dataBegin = 8 + Number(bytes.readBigUInt64LE());
  const parse: (text: string) => Header = JSON.parse;
  const header = parse(bytes.toString('utf8', 8, dataBegin));
  const tensors = new Map<string, ReadTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets;
    // A copy of its own, because typed arrays must begin at a multiple of their items' size.
    const { buffer } = Uint8Array.from(bytes.subarray(dataBegin + begin, dataBegin + end));
    if (entry.dtype !== 'F32' && entry.dtype !== 'I64') throw new Error(`${name} is ${entry.dtype}`);
    const values = entry.dtype === 'F32' ? new Float32Array(buffer) : new BigInt64Array(buffer);
    tensors.set(name, { shape: entry.shape, values });
  }
  return tensors;
}

/** A float32 tensor's numbers. */
export function floatsOf(tensors: ReadonlyMap<string, ReadTensor>, name: string): Float32Array {
  const values = tensors.get(name)?.values;
  if (values instanceof Float32Array) return values;
  throw new Error(`no float32 tensor "${name}"`);
}

/** An int64 tensor's numbers. */
export function integersOf(tensors: ReadonlyMap<string, ReadTensor>, name: string): number[] {
  const values = tensors.get(name)?.values;
  if (values instanceof BigInt64Array) return Array.from(values, Number);
  throw new Error(`no int64 tensor "${name}"`);
}

/** The largest absolute difference of two lists; NaN when their lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
