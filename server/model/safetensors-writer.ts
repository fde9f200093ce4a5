import { open } from 'node:fs/promises';

const bytesPerItem = { U8: 1, U16: 2, BF16: 2, I32: 4, F32: 4, I64: 8 } as const;

/** A tensor to be written; its data may come in pieces, so that it need not be in memory as a whole. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: keyof typeof bytesPerItem;
  readonly shape: readonly number[];
  /** All items in row-major order, little-endian. Asked for when the tensor's turn comes. */
  readonly data: () => Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>;
}

/**
 * Writes a safetensors file (https://github.com/huggingface/safetensors#format), its data in the order given.
 *
 * @throws RangeError when a tensor's data does not fill its shape; the system's error when the file cannot be written
 */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const begin = offset;
    offset += shape.reduce((product, size) => product * size, bytesPerItem[dtype]);
    header[name] = { dtype, shape, data_offsets: [begin, offset] };
  }
  const json = Buffer.from(JSON.stringify(header));
  // Spaces up to a multiple of eight, so that the data is aligned for every type.
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(length);
    await handle.writeFile(padded);
    for (const tensor of tensors) {
      const expected = tensor.shape.reduce((product, size) => product * size, bytesPerItem[tensor.dtype]);
      let written = 0;
      for await (const piece of tensor.data()) {
        await handle.writeFile(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
        written += piece.byteLength;
      }
      if (written !== expected) throw new RangeError(`"${tensor.name}" has ${written} bytes instead of ${expected}`);
    }
    // Whoever renames the file to its final name must not find it empty after a power failure.
    await handle.sync();
  } finally {
    await handle.close();
  }
}
