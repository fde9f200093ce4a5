import { open } from 'node:fs/promises';

/** A metadata value of a GGUF file; the type is spelled out because JavaScript's numbers do not tell it. */
export type GgufValue =
  | { readonly type: 'uint32' | 'float32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int32s'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] };

/** How a tensor's numbers are stored: values per block and bytes per block. */
export const ggufTypes = {
  f32: { id: 0, blockValues: 1, blockBytes: 4 },
  /** A float16 scale and 32 values of 4 bits. */
  q4_0: { id: 2, blockValues: 32, blockBytes: 18 },
  /** A float16 scale and 32 values of 8 bits. */
  q8_0: { id: 8, blockValues: 32, blockBytes: 34 },
} as const;
export type GgufType = keyof typeof ggufTypes;

export interface GgufTensor {
  readonly name: string;
  /** Fastest dimension first: `[columns, rows]`. */
  readonly dimensions: readonly number[];
  readonly type: GgufType;
  /** The bytes in pieces, so that a tensor need not be in memory as a whole. */
  readonly bytes: () => Iterable<Uint8Array>;
}

const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const alignment = 32;

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Bytes of a tensor. */
export function tensorBytes({ dimensions, type }: Pick<GgufTensor, 'dimensions' | 'type'>): number {
  const { blockValues, blockBytes } = ggufTypes[type];
  const [columns = 0, ...others] = dimensions;
  if (columns % blockValues !== 0) throw new Error(`${columns} columns are no whole number of ${type} blocks`);
  return others.reduce((product, dimension) => product * dimension, (columns / blockValues) * blockBytes);
}

class Header {
  private readonly parts: Buffer[] = [];

  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.parts.push(bytes);
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.parts.push(bytes);
  }

  raw(bytes: Buffer): void {
    this.parts.push(bytes);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.uint64(bytes.length);
    this.parts.push(bytes);
  }

  value(value: GgufValue): void {
    switch (value.type) {
      case 'uint32':
        this.uint32(valueTypes.uint32);
        this.uint32(value.value);
        break;
      case 'float32':
        this.uint32(valueTypes.float32);
        this.raw(Buffer.from(Float32Array.of(value.value).buffer));
        break;
      case 'bool':
        this.uint32(valueTypes.bool);
        this.raw(Buffer.from([value.value ? 1 : 0]));
        break;
      case 'string':
        this.uint32(valueTypes.string);
        this.string(value.value);
        break;
      case 'int32s':
        this.uint32(valueTypes.array);
        this.uint32(valueTypes.int32);
        this.uint64(value.value.length);
        this.raw(Buffer.from(Int32Array.from(value.value).buffer));
        break;
      case 'strings':
        this.uint32(valueTypes.array);
        this.uint32(valueTypes.string);
        this.uint64(value.value.length);
        for (const text of value.value) this.string(text);
        break;
    }
  }

  bytes(): Buffer {
    const bytes = Buffer.concat(this.parts);
    return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);
  }
}

/** Writes a GGUF file of version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
export async function writeGguf(
  file: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const header = new Header();
  header.raw(Buffer.from('GGUF'));
  header.uint32(3);
  header.uint64(tensors.length);
  header.uint64(metadata.size);
  for (const [key, value] of metadata) {
    header.string(key);
    header.value(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    header.string(tensor.name);
    header.uint32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) header.uint64(dimension);
    header.uint32(ggufTypes[tensor.type].id);
    header.uint64(offset);
    offset = aligned(offset + tensorBytes(tensor));
  }
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(header.bytes());
    for (const tensor of tensors) {
      let written = 0;
      for (const piece of tensor.bytes()) {
        await handle.writeFile(piece);
        written += piece.length;
      }
      const expected = tensorBytes(tensor);
      if (written !== expected) throw new Error(`${tensor.name}: ${written} bytes instead of ${expected}`);
      await handle.writeFile(Buffer.alloc(aligned(written) - written));
    }
  } finally {
    await handle.close();
  }
}
