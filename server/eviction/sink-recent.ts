import type { CacheView, EvictionPolicy } from './policy.js';

/** Units at the start that are always kept: attention that has nowhere to go rests on them. */
export const attentionSinks = 4;

/**
 * StreamingLLM (arXiv 2309.17453, section 3.2): the first four units and the newest ones stay.
 * rank = infinity for the first four, otherwise the token's index, so that newer units rank higher, over all heads alike.
 */
export const sinkRecent: EvictionPolicy = {
  name: 'sink-recent',
  needsRetainingHeads: false,
  rank(view: CacheView): Float32Array {
    const ranks = new Float32Array(view.length);
    for (let slot = 0; slot < view.length; slot++)
      ranks[slot] = slot < attentionSinks ? Infinity : (view.tokenIndices[slot] ?? 0);
    return ranks;
  },
};
