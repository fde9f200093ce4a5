import { float16Values } from '../weight-encoding.js';

// The encodings of 32 numbers to a block (ggml-common.h, ggml-quants.c): a float16 scale, in some a float16 minimum,
// and the numbers' bits, of which byte j of the nibbles holds number j (low) and number j + 16 (high).

/** Q4_0: scale, 16 bytes of nibbles; `(q - 8) * scale`. */
export function decodeQ4Of0(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 18, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 2 + j] ?? 0;
      numbers[out + j] = ((pair & 15) - 8) * scale;
      numbers[out + 16 + j] = ((pair >> 4) - 8) * scale;
    }
  }
}

/** Q4_1: scale, minimum, 16 bytes of nibbles; `q * scale + minimum`. */
export function decodeQ4Of1(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 20, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const minimum = float16[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0;
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 4 + j] ?? 0;
      numbers[out + j] = (pair & 15) * scale + minimum;
      numbers[out + 16 + j] = (pair >> 4) * scale + minimum;
    }
  }
}

/** Q5_0: scale, 32 fifth bits, 16 bytes of nibbles; `(q - 16) * scale`. */
export function decodeQ5Of0(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 22, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const fifths = littleEndian32(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 6 + j] ?? 0;
      numbers[out + j] = (((pair & 15) | (((fifths >>> j) & 1) << 4)) - 16) * scale;
      numbers[out + 16 + j] = (((pair >> 4) | (((fifths >>> (j + 16)) & 1) << 4)) - 16) * scale;
    }
  }
}

/** Q5_1: scale, minimum, 32 fifth bits, 16 bytes of nibbles; `q * scale + minimum`. */
export function decodeQ5Of1(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 24, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const minimum = float16[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0;
    const fifths = littleEndian32(bytes, at + 4);
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 8 + j] ?? 0;
      numbers[out + j] = ((pair & 15) | (((fifths >>> j) & 1) << 4)) * scale + minimum;
      numbers[out + 16 + j] = ((pair >> 4) | (((fifths >>> (j + 16)) & 1) << 4)) * scale + minimum;
    }
  }
}

/** Q8_0: scale, 32 signed bytes; `q * scale`. */
export function decodeQ8Of0(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, out = 0; out < numbers.length; at += 34, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    for (let j = 0; j < 32; j++) numbers[out + j] = (signed[at + 2 + j] ?? 0) * scale;
  }
}

/** What the nibbles of IQ4_NL and IQ4_XS stand for (`kvalues_iq4nl`). */
export const nonlinearValues = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** IQ4_NL: scale, 16 bytes of nibbles; `value(q) * scale`. */
export function decodeIq4Nl(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 18, out += 32) {
    const scale = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 2 + j] ?? 0;
      numbers[out + j] = (nonlinearValues[pair & 15] ?? 0) * scale;
      numbers[out + 16 + j] = (nonlinearValues[pair >> 4] ?? 0) * scale;
    }
  }
}

function littleEndian32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
