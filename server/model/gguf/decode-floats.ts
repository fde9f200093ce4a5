import { widenBfloat16, widenFloat16 } from '../half-precision.js';

/** Bytes as 16-bit numbers; copied only where they lie unaligned. */
function halves(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, bytes.length / 2);
}

function bitsOf(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

export function decodeFloat32(bytes: Uint8Array, numbers: Float32Array): void {
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).set(bytes);
}

export function decodeFloat16(bytes: Uint8Array, numbers: Float32Array): void {
  widenFloat16(halves(bytes), bitsOf(numbers));
}

export function decodeBfloat16(bytes: Uint8Array, numbers: Float32Array): void {
  widenBfloat16(halves(bytes), bitsOf(numbers));
}

let table: Float32Array | undefined;

/** The value of each of the 65,536 half-precision numbers, by its bits: what scales of blocks are looked up in. */
export function float16Values(): Float32Array {
  if (table === undefined) {
    table = new Float32Array(1 << 16);
    widenFloat16(
      Uint16Array.from(table, (_, bits) => bits),
      bitsOf(table),
    );
  }
  return table;
}
