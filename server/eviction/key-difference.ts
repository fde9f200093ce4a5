import type { CacheView, EvictionPolicy } from './policy.js';

/** Sum of squares of `count` numbers from `offset`. */
function squaredNorm(numbers: Float32Array | Float64Array, offset: number, count: number): number {
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += (numbers[i] ?? 0) ** 2;
  return sum;
}

/**
 * KeyDiff (arXiv 2504.15364, section 3): units whose keys differ most from the average key stay.
 * rank_i = -cos(k_i, a), with the anchor a = mean over all units j of k_j / |k_j|. A key of length 0 ranks 0.
 */
export const keyDifference: EvictionPolicy = {
  name: 'key-difference',
  needsRetainingHeads: false,
  rank({ keys, length, headDim }: CacheView): Float32Array {
    const norms = new Float64Array(length);
    const anchor = new Float64Array(headDim);
    for (let unit = 0; unit < length; unit++) {
      const offset = unit * headDim;
      const norm = Math.sqrt(squaredNorm(keys, offset, headDim));
      norms[unit] = norm;
      if (norm === 0) continue;
      for (let i = 0; i < headDim; i++) anchor[i] = (anchor[i] ?? 0) + (keys[offset + i] ?? 0) / norm;
    }
    const anchorNorm = Math.sqrt(squaredNorm(anchor, 0, headDim));
    const ranks = new Float32Array(length);
    for (let unit = 0; unit < length; unit++) {
      const scale = (norms[unit] ?? 0) * anchorNorm;
      if (scale === 0) continue;
      let dot = 0;
      for (let i = 0; i < headDim; i++) dot += (keys[unit * headDim + i] ?? 0) * (anchor[i] ?? 0);
      ranks[unit] = -dot / scale;
    }
    return ranks;
  },
};
