import type { KeptUnits } from './engine.js';
import type { RetainedCache } from './retained-cache.js';

/** Counts, for every token of which some KV head still holds a unit, how many do. */
export function countKeptUnits(
  cache: RetainedCache,
  { layers, kvHeads }: { readonly layers: number; readonly kvHeads: number },
): KeptUnits {
  const heads = Array.from({ length: layers * kvHeads }, (_, index) =>
    cache.head(Math.floor(index / kvHeads), index % kvHeads),
  );
  const all = new Int32Array(heads.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const { tokenIndices, length } of heads) {
    all.set(tokenIndices, filled);
    filled += length;
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
