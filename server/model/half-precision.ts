/** bfloat16 to the bits of float32. */
export function widenBfloat16(from: Uint16Array, to: Uint32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = (from[i] ?? 0) << 16;
}

let float16Bits: Uint32Array | undefined;

/** The float32 bits of each of the 65,536 half-precision numbers (IEEE 754 binary16). */
function float16Table(): Uint32Array {
  if (float16Bits !== undefined) return float16Bits;
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
  float16Bits = table;
  return table;
}

/** IEEE 754 half precision to the bits of float32. */
export function widenFloat16(from: Uint16Array, to: Uint32Array): void {
  const table = float16Table();
  for (let i = 0; i < from.length; i++) to[i] = table[from[i] ?? 0] ?? 0;
}
