import type { KeptUnits } from './engine.js';

/**
 * Counts, for every token of which some KV head still holds a unit, how many do.
 * @param heads token indices of the units of each layer's KV heads
 */
export function countKeptUnits(heads: readonly Int32Array[]): KeptUnits {
  const all = new Int32Array(heads.reduce((sum, head) => sum + head.length, 0));
  let offset = 0;
  for (const head of heads) {
    all.set(head, offset);
    offset += head.length;
  }
  all.sort();
  let tokens = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) tokens += 1;
  const tokenIndices = new Int32Array(tokens);
  const counts = new Uint16Array(tokens);
  let token = -1;
  for (let i = 0; i < all.length; i++) {
    if (i === 0 || all[i] !== all[i - 1]) tokenIndices[++token] = all[i] ?? 0;
    counts[token] = (counts[token] ?? 0) + 1;
  }
  return { tokenIndices, counts };
}
