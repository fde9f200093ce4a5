import type { KeptUnits } from './engine.js';
import type { RetainedCache } from './retained-cache.js';

/** Counts, for every token of which some KV head still holds a unit, how many do. */
export function countKeptUnits(
  cache: RetainedCache,
  { layers, kvHeads }: { readonly layers: number; readonly kvHeads: number },
): KeptUnits {
  const { length } = cache;
  const all = new Int32Array(layers * kvHeads * length);
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++)
      all.set(cache.head(layer, kvHead).tokenIndices, (layer * kvHeads + kvHead) * length);
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
