const signBit = 0x80000000 | 0;
const magnitudeBits = 0x7fffffff;
const infinityBits = 0x7f800000;

/** From the highest bits down, as many as fit a table that stays in the processor's nearest cache. */
const digits = [
  { shift: 21, mask: 0x7ff },
  { shift: 10, mask: 0x7ff },
  { shift: 0, mask: 0x3ff },
] as const;
const counts = new Int32Array(0x800);
const masses = new Float64Array(0x800);

/** The first `length` float32 numbers as integers of 32 bits: the same memory, seen differently. */
export function bitsOf(values: Float32Array, length: number): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, length);
}

/** Whether these are the bits of a float32 that is not a number. */
export function isNaNBits(bits: number): boolean {
  return (bits & magnitudeBits) > infinityBits;
}

/** Maps the bits of a float32 (not NaN) to a signed 32-bit integer of the same order; -0 and 0 become equal. */
export function orderedKey(bits: number): number {
  if (bits === signBit) return 0;
  return bits ^ ((bits >> 31) & magnitudeBits);
}

/** Where a selection of the highest values ends. */
export interface Threshold {
  /** Ordered key of the lowest selected value. */
  readonly key: number;
  /** How many of the values with exactly that key are selected; at least 1. */
  readonly ties: number;
}

/**
 * The threshold of the `count` highest values (1 <= count <= end - begin) among begin..end-1: radix selection, O(n) and
 * without allocation whatever the values are.
 */
export function highestByCount(bits: Int32Array, begin: number, end: number, count: number): Threshold {
  let wanted = count;
  let prefix = 0;
  let prefixMask = 0;
  for (const { shift, mask } of digits) {
    counts.fill(0);
    for (let i = begin; i < end; i++) {
      // Flipping the sign bit turns the signed order into an unsigned one, which digits need.
      const key = orderedKey(bits[i] ?? 0) ^ signBit;
      if ((key & prefixMask) !== prefix) continue;
      const digit = (key >>> shift) & mask;
      counts[digit] = (counts[digit] ?? 0) + 1;
    }
    let digit: number = mask;
    while (wanted > (counts[digit] ?? 0)) {
      wanted -= counts[digit] ?? 0;
      digit--;
    }
    prefix |= digit << shift;
    prefixMask |= mask << shift;
  }
  return { key: prefix ^ signBit, ties: wanted };
}

/**
 * The threshold of the fewest highest values whose masses add up to `mass` or more, among the first `length`. Equal
 * values must have equal masses, and at least one mass must be positive.
 */
export function highestByMass(bits: Int32Array, massOf: Float64Array, length: number, mass: number): Threshold {
  let wanted = mass;
  let prefix = 0;
  let prefixMask = 0;
  let ties = 0;
  for (const { shift, mask } of digits) {
    masses.fill(0);
    counts.fill(0);
    let lowest: number = mask;
    for (let i = 0; i < length; i++) {
      const key = orderedKey(bits[i] ?? 0) ^ signBit;
      if ((key & prefixMask) !== prefix) continue;
      const digit = (key >>> shift) & mask;
      const added = massOf[i] ?? 0;
      masses[digit] = (masses[digit] ?? 0) + added;
      counts[digit] = (counts[digit] ?? 0) + 1;
      if (added > 0 && digit < lowest) lowest = digit;
    }
    let digit: number = mask;
    // Sums in another order may fall short of the whole by a rounding error: then everything is selected.
    while (digit > lowest && wanted > (masses[digit] ?? 0)) {
      wanted -= masses[digit] ?? 0;
      digit--;
    }
    const members = counts[digit] ?? 0;
    // After the last digit all members are equal, and so are their masses.
    ties = Math.min(members, Math.max(1, Math.ceil((wanted / (masses[digit] ?? 0)) * members)));
    prefix |= digit << shift;
    prefixMask |= mask << shift;
  }
  return { key: prefix ^ signBit, ties };
}
