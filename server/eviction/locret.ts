import { LocretError } from '../errors.js';
import type { CacheView, EvictionPolicy } from './policy.js';

/**
 * Locret: rank = causal importance score, which the layer's retaining head gave the unit when its token was read:
 * `fc2(SiLU(fc1([q, k, v])))`, with q, k, v before RoPE. The score never changes (arXiv 2410.01805, section 3.2 and
 * Algorithm 1).
 */
export const locret: EvictionPolicy = {
  name: 'locret',
  needsRetainingHeads: true,
  rank(view: CacheView): Float32Array {
    if (view.scores.length >= view.length) return view.scores.subarray(0, view.length);
    throw new LocretError(
      'invalid-argument',
      `The eviction policy "locret" needs ${view.length} scores of layer ${view.layer}, KV head ${view.kvHead}, and got ${view.scores.length}.`,
      'Give the retaining heads of this model, or choose a policy that needs none: key-difference or sink-recent.',
    );
  },
};
