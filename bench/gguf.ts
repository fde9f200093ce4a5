import { open } from 'node:fs/promises';
import { encodingNamed } from '../server/model/gguf/encoding.js';

const scalarTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;
type ScalarType = keyof typeof scalarTypes;
const listType = 9;

/** A metadata value of a GGUF file; the type is spelled out because JavaScript's numbers do not tell it. */
export type GgufValue =
  | { readonly type: ScalarType; readonly value: number | bigint | boolean | string }
  | { readonly type: 'list'; readonly of: ScalarType; readonly value: readonly (number | bigint | boolean | string)[] };

export interface GgufTensor {
  readonly name: string;
  /** Fastest dimension first: `[columns, rows]`. */
  readonly dimensions: readonly number[];
  /** As GGML names it: `F32`, `Q8_0`, … */
  readonly encoding: string;
  /** The bytes in pieces, so that a tensor need not be in memory as a whole. */
  readonly bytes: () => Iterable<Uint8Array>;
}

const alignment = 32;

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function knownEncoding(name: string): NonNullable<ReturnType<typeof encodingNamed>> {
  const known = encodingNamed(name);
  if (known === undefined) throw new Error(`no encoding ${name}`);
  return known;
}

/** Bytes of a tensor. */
export function tensorBytes({ dimensions, encoding }: Pick<GgufTensor, 'dimensions' | 'encoding'>): number {
  const { blockLength, blockBytes } = knownEncoding(encoding).encoding;
  const [columns = 0, ...others] = dimensions;
  if (columns % blockLength !== 0) throw new Error(`${columns} columns are no whole number of ${encoding} blocks`);
  return others.reduce((product, dimension) => product * dimension, (columns / blockLength) * blockBytes);
}

class Header {
  private readonly parts: Buffer[] = [];

  scalar(type: ScalarType, value: number | bigint | boolean | string): void {
    if (type === 'string') this.text(String(value));
    else this.parts.push(scalarBytes(type, value));
  }

  value(value: GgufValue): void {
    if (value.type !== 'list') {
      this.scalar('uint32', scalarTypes[value.type]);
      this.scalar(value.type, value.value);
      return;
    }
    this.scalar('uint32', listType);
    this.scalar('uint32', scalarTypes[value.of]);
    this.scalar('uint64', value.value.length);
    for (const item of value.value) this.scalar(value.of, item);
  }

  bytes(): Buffer {
    const bytes = Buffer.concat(this.parts);
    return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);
  }

  private text(text: string): void {
    const bytes = Buffer.from(text);
    this.scalar('uint64', bytes.length);
    this.parts.push(bytes);
  }
}

function scalarBytes(type: Exclude<ScalarType, 'string'>, value: number | bigint | boolean | string): Buffer {
  const number = Number(value);
  switch (type) {
    case 'bool':
    case 'uint8':
      return Buffer.from([number]);
    case 'int8':
      return Buffer.from(Int8Array.of(number).buffer);
    case 'uint16':
      return Buffer.from(Uint16Array.of(number).buffer);
    case 'int16':
      return Buffer.from(Int16Array.of(number).buffer);
    case 'uint32':
      return Buffer.from(Uint32Array.of(number).buffer);
    case 'int32':
      return Buffer.from(Int32Array.of(number).buffer);
    case 'float32':
      return Buffer.from(Float32Array.of(number).buffer);
    case 'float64':
      return Buffer.from(Float64Array.of(number).buffer);
    case 'uint64':
      return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
    case 'int64':
      return Buffer.from(BigInt64Array.of(BigInt(value)).buffer);
  }
}

/** The header of a GGUF file of version 3, up to where the bytes of its tensors begin. */
export function ggufHeader(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly Omit<GgufTensor, 'bytes'>[],
): Buffer {
  const header = new Header();
  for (const letter of 'GGUF') header.scalar('uint8', letter.charCodeAt(0));
  header.scalar('uint32', 3);
  header.scalar('uint64', tensors.length);
  header.scalar('uint64', metadata.size);
  for (const [key, value] of metadata) {
    header.scalar('string', key);
    header.value(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    header.scalar('string', tensor.name);
    header.scalar('uint32', tensor.dimensions.length);
    for (const dimension of tensor.dimensions) header.scalar('uint64', dimension);
    header.scalar('uint32', knownEncoding(tensor.encoding).type);
    header.scalar('uint64', offset);
    offset = aligned(offset + tensorBytes(tensor));
  }
  return header.bytes();
}

/** The bytes of a GGUF file in pieces (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
export function* ggufPieces(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Generator<Uint8Array> {
  yield ggufHeader(metadata, tensors);
  for (const tensor of tensors) {
    let written = 0;
    for (const piece of tensor.bytes()) {
      yield piece;
      written += piece.length;
    }
    const expected = tensorBytes(tensor);
    if (written !== expected) throw new Error(`${tensor.name}: ${written} bytes instead of ${expected}`);
    yield Buffer.alloc(aligned(written) - written);
  }
}

/** Writes a GGUF file of version 3. */
export async function writeGguf(
  file: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (const piece of ggufPieces(metadata, tensors)) await handle.writeFile(piece);
  } finally {
    await handle.close();
  }
}
