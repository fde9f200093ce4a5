import { nonlinearValues } from './decode-blocks.js';
import { float16Values } from '../weight-encoding.js';

// The encodings of 256 numbers to a block (ggml-common.h, ggml-quants.c): parts of 16 or 32 numbers with a small
// integer scale each (in some also a minimum), and float16 factors of all these scales and minima.

/** Q2_K: 16 bytes of scales (low) and minima (high), 64 bytes of pairs of bits, factors of scales and of minima. */
export function decodeQ2K(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 84, out += 256) {
    const factor = float16[(bytes[at + 80] ?? 0) | ((bytes[at + 81] ?? 0) << 8)] ?? 0;
    const minimumFactor = float16[(bytes[at + 82] ?? 0) | ((bytes[at + 83] ?? 0) << 8)] ?? 0;
    for (let part = 0; part < 16; part++) {
      const packed = bytes[at + part] ?? 0;
      const scale = factor * (packed & 15);
      const minimum = minimumFactor * (packed >> 4);
      const from = at + 16 + (part >> 3) * 32 + (part & 1) * 16;
      const shift = part & 6;
      for (let j = 0; j < 16; j++) {
        numbers[out + part * 16 + j] = scale * (((bytes[from + j] ?? 0) >> shift) & 3) - minimum;
      }
    }
  }
}

/** Q3_K: 32 bytes of third bits, 64 bytes of pairs of bits, 16 scales of 6 bits in 12 bytes, their factor. */
export function decodeQ3K(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 110, out += 256) {
    const factor = float16[(bytes[at + 108] ?? 0) | ((bytes[at + 109] ?? 0) << 8)] ?? 0;
    for (let part = 0; part < 16; part++) {
      const low = ((bytes[at + 96 + (part & 7)] ?? 0) >> ((part >> 3) << 2)) & 15;
      const high = ((bytes[at + 104 + (part & 3)] ?? 0) >> ((part >> 2) << 1)) & 3;
      const scale = factor * ((low | (high << 4)) - 32);
      const from = at + 32 + (part >> 3) * 32 + (part & 1) * 16;
      const thirds = at + (part & 1) * 16;
      const shift = part & 6;
      const thirdShift = part >> 1;
      for (let j = 0; j < 16; j++) {
        const bits = ((bytes[from + j] ?? 0) >> shift) & 3;
        const third = ((bytes[thirds + j] ?? 0) >> thirdShift) & 1;
        numbers[out + part * 16 + j] = scale * (bits - 4 + (third << 2));
      }
    }
  }
}

/** The scale of one of 8 parts, from the 12 bytes in which Q4_K and Q5_K keep 8 scales and 8 minima of 6 bits. */
function partScale(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return (bytes[at + part] ?? 0) & 63;
  return ((bytes[at + 4 + part] ?? 0) & 15) | (((bytes[at + part - 4] ?? 0) >> 6) << 4);
}

/** The minimum of one of 8 parts, from the same bytes. */
function partMinimum(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return (bytes[at + 4 + part] ?? 0) & 63;
  return ((bytes[at + 4 + part] ?? 0) >> 4) | (((bytes[at + part] ?? 0) >> 6) << 4);
}

/** Q4_K: factors of scales and of minima, 12 bytes of these, 128 bytes of nibbles. */
export function decodeQ4K(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 144, out += 256) {
    const factor = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const minimumFactor = float16[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0;
    for (let part = 0; part < 8; part++) {
      const scale = factor * partScale(bytes, at + 4, part);
      const minimum = minimumFactor * partMinimum(bytes, at + 4, part);
      const from = at + 16 + (part >> 1) * 32;
      const shift = (part & 1) << 2;
      for (let j = 0; j < 32; j++) {
        numbers[out + part * 32 + j] = scale * (((bytes[from + j] ?? 0) >> shift) & 15) - minimum;
      }
    }
  }
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits in front of the nibbles. */
export function decodeQ5K(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 176, out += 256) {
    const factor = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const minimumFactor = float16[(bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)] ?? 0;
    for (let part = 0; part < 8; part++) {
      const scale = factor * partScale(bytes, at + 4, part);
      const minimum = minimumFactor * partMinimum(bytes, at + 4, part);
      const from = at + 48 + (part >> 1) * 32;
      const shift = (part & 1) << 2;
      for (let j = 0; j < 32; j++) {
        const fifth = ((bytes[at + 16 + j] ?? 0) >> part) & 1;
        const bits = (((bytes[from + j] ?? 0) >> shift) & 15) | (fifth << 4);
        numbers[out + part * 32 + j] = scale * bits - minimum;
      }
    }
  }
}

/** Q6_K: 128 bytes of nibbles, 64 bytes of upper pairs of bits, 16 signed scales, their factor. */
export function decodeQ6K(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, out = 0; out < numbers.length; at += 210, out += 256) {
    const factor = float16[(bytes[at + 208] ?? 0) | ((bytes[at + 209] ?? 0) << 8)] ?? 0;
    for (let part = 0; part < 16; part++) {
      const scale = factor * (signed[at + 192 + part] ?? 0);
      const half = part >> 3;
      const column = (part & 1) * 16;
      const low = at + half * 64 + ((part >> 1) & 1) * 32 + column;
      const lowShift = ((part >> 2) & 1) << 2;
      const high = at + 128 + half * 32 + column;
      const highShift = part & 6;
      for (let j = 0; j < 16; j++) {
        const bits = ((bytes[low + j] ?? 0) >> lowShift) & 15;
        const upper = ((bytes[high + j] ?? 0) >> highShift) & 3;
        numbers[out + part * 16 + j] = scale * ((bits | (upper << 4)) - 32);
      }
    }
  }
}

/** IQ4_XS: factor, upper bits of the scales, their lower bits, 128 bytes of nibbles that stand for IQ4_NL's values. */
export function decodeIq4Xs(bytes: Uint8Array, numbers: Float32Array): void {
  const float16 = float16Values();
  for (let at = 0, out = 0; out < numbers.length; at += 136, out += 256) {
    const factor = float16[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
    const upper = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
    for (let part = 0; part < 8; part++) {
      const low = ((bytes[at + 4 + (part >> 1)] ?? 0) >> ((part & 1) << 2)) & 15;
      const scale = factor * ((low | (((upper >> (2 * part)) & 3) << 4)) - 32);
      const from = at + 8 + part * 16;
      for (let j = 0; j < 16; j++) {
        const pair = bytes[from + j] ?? 0;
        numbers[out + part * 32 + j] = scale * (nonlinearValues[pair & 15] ?? 0);
        numbers[out + part * 32 + 16 + j] = scale * (nonlinearValues[pair >> 4] ?? 0);
      }
    }
  }
}
