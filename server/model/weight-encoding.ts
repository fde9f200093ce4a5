/**
 * How numbers are stored: in blocks of equally many numbers, each of equally many bytes. It is a value, so that a file
 * format brings its own.
 */
export interface WeightEncoding {
  /** As safetensors and ggml call it: `BF16`, `Q4_K`. */
  readonly name: string;
  /** Numbers of a block. */
  readonly blockLength: number;
  readonly blockBytes: number;
  /**
   * Decodes whole blocks.
   * @param out as long as the blocks have numbers
   */
  decode(blocks: Uint8Array, out: Float32Array): void;
}

/** Bytes of so many numbers, which must be whole blocks. */
export function encodedBytes({ blockLength, blockBytes }: WeightEncoding, numbers: number): number {
  return (numbers / blockLength) * blockBytes;
}

/** Bytes that are read at once while a tensor is decoded. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * Decodes numbers that are read piece by piece, so that no second copy of a whole tensor is in memory.
 * @param count how many, whole blocks
 * @param read fills the target with the bytes from an offset on; 0 is the first number's
 */
export function decodePieces(
  encoding: WeightEncoding,
  count: number,
  read: (target: Uint8Array, offset: number) => void,
): Float32Array<ArrayBuffer> {
  const { blockLength, blockBytes } = encoding;
  const out = new Float32Array(count);
  const blocks = count / blockLength;
  const atOnce = Math.min(blocks, Math.max(1, Math.floor(pieceBytes / blockBytes)));
  const piece = new Uint8Array(atOnce * blockBytes);
  for (let done = 0; done < blocks; done += atOnce) {
    const part = piece.subarray(0, Math.min(atOnce, blocks - done) * blockBytes);
    read(part, done * blockBytes);
    encoding.decode(part, out.subarray(done * blockLength, (done + part.length / blockBytes) * blockLength));
  }
  return out;
}

/** The same bytes where a typed array can lie over them. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}

function halvesOf(blocks: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = aligned(blocks, 2);
  return new Uint16Array(buffer, byteOffset, length / 2);
}

function bitsOf(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

const float32: WeightEncoding = {
  name: 'F32',
  blockLength: 1,
  blockBytes: 4,
  decode: (blocks, out) => {
    const { buffer, byteOffset, length } = aligned(blocks, 4);
    out.set(new Float32Array(buffer, byteOffset, length / 4));
  },
};

const bfloat16: WeightEncoding = {
  name: 'BF16',
  blockLength: 1,
  blockBytes: 2,
  decode: (blocks, out) => {
    const from = halvesOf(blocks);
    const bits = bitsOf(out);
    for (let i = 0; i < from.length; i++) bits[i] = (from[i] ?? 0) << 16;
  },
};

let float16Table: Uint32Array<ArrayBuffer> | undefined;

/** The float32 bits of each of the 65,536 half-precision numbers (IEEE 754 binary16). */
function float16Bits(): Uint32Array<ArrayBuffer> {
  if (float16Table !== undefined) return float16Table;
  const table = new Uint32Array(1 << 16);
  const number = new Float32Array(1);
  const bits = new Uint32Array(number.buffer);
  for (let half = 0; half < table.length; half++) {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[0] = 0x7f800000 | (fraction << 13);
    else number[0] = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[half] = (bits[0] ?? 0) | ((half & 0x8000) << 16);
  }
  float16Table = table;
  return table;
}

/** The value of each of the 65,536 half-precision numbers, by its bits: what scales of blocks are looked up in. */
export function float16Values(): Float32Array {
  return new Float32Array(float16Bits().buffer);
}

const float16: WeightEncoding = {
  name: 'F16',
  blockLength: 1,
  blockBytes: 2,
  decode: (blocks, out) => {
    const table = float16Bits();
    const from = halvesOf(blocks);
    const bits = bitsOf(out);
    for (let i = 0; i < from.length; i++) bits[i] = table[from[i] ?? 0] ?? 0;
  },
};

/** The encodings that are plain floating-point numbers: those of safetensors files, and of every other format too. */
export const floatEncodings = { float32, float16, bfloat16 } as const;
