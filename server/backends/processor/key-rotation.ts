import type { RopeTable } from '../../model/rope-table.js';

/** Where a key is and where it goes: places in its head's array, and slots. */
export interface KeyMove {
  readonly from: number;
  readonly to: number;
  readonly fromSlot: number;
  readonly toSlot: number;
}

/**
 * Copies a key to an earlier place of the same array, `[units, headDim]`, and turns it by the difference of the two slots'
 * angles. Both angles come from the table: their float32 rounding cancels, as if the key had been rotated to the new slot
 * in the first place.
 */
export function moveKey(keys: Float32Array, headDim: number, rope: RopeTable, move: KeyMove): void {
  const { pairs, turnCos, turnSin } = rope;
  const source = move.from * headDim;
  const target = move.to * headDim;
  const old = move.fromSlot * pairs;
  const next = move.toSlot * pairs;
  for (let pair = 0; pair < pairs; pair++) {
    const oldCos = turnCos[old + pair] ?? 0;
    const oldSin = turnSin[old + pair] ?? 0;
    const nextCos = turnCos[next + pair] ?? 0;
    const nextSin = turnSin[next + pair] ?? 0;
    const cos = oldCos * nextCos + oldSin * nextSin;
    const sin = oldSin * nextCos - oldCos * nextSin;
    const x = keys[source + pair] ?? 0;
    const y = keys[source + pair + pairs] ?? 0;
    keys[target + pair] = x * cos + y * sin;
    keys[target + pair + pairs] = y * cos - x * sin;
  }
  // With a partial rotary factor the rest of the head is not rotated.
  if (2 * pairs < headDim) keys.copyWithin(target + 2 * pairs, source + 2 * pairs, source + headDim);
}
