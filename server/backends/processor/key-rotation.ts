import type { Rotation } from '../../eviction/policy.js';

/** A key in an array `[units, headDim]`, and the slot that it is rotated to. */
export interface PlacedKey {
  readonly keys: Float32Array;
  readonly unit: number;
  readonly slot: number;
}

/**
 * Copies a key to another place, of the same array an earlier one, and turns it by the difference of the two slots'
 * angles. Both angles come from the table: their float32 rounding cancels, as if the key had been rotated to the new slot
 * in the first place.
 */
export function moveKey(from: PlacedKey, to: PlacedKey, headDim: number, rotation: Rotation): void {
  const { pairs, turnCos, turnSin } = rotation;
  const source = from.unit * headDim;
  const target = to.unit * headDim;
  const old = from.slot * pairs;
  const next = to.slot * pairs;
  for (let pair = 0; pair < pairs; pair++) {
    const oldCos = turnCos[old + pair] ?? 0;
    const oldSin = turnSin[old + pair] ?? 0;
    const nextCos = turnCos[next + pair] ?? 0;
    const nextSin = turnSin[next + pair] ?? 0;
    const cos = oldCos * nextCos + oldSin * nextSin;
    const sin = oldSin * nextCos - oldCos * nextSin;
    const x = from.keys[source + pair] ?? 0;
    const y = from.keys[source + pair + pairs] ?? 0;
    to.keys[target + pair] = x * cos + y * sin;
    to.keys[target + pair + pairs] = y * cos - x * sin;
  }
  // With a partial rotary factor the rest of the head is not rotated.
  for (let i = 2 * pairs; i < headDim; i++) to.keys[target + i] = from.keys[source + i] ?? 0;
}
