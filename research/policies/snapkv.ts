import { attentionSums } from './attention-of-queries.js';
import { averageOfNeighbours } from './neighbours.js';
import type { CacheView } from '../../server/eviction/policy.js';
import type { Rival } from './rival.js';

/** Last tokens of a chunk whose attention decides, and which stay themselves. */
const window = 32;

/**
 * SnapKV (arXiv 2404.14469, Listing 1) after each chunk: a unit is worth the attention that the chunk's last
 * 32 queries give it, averaged over its neighbours so that what stands together stays together; those 32 units stay.
 * With grouped queries the mean over the group. Every chunk scores all units anew.
 */
export const snapkv: Rival = {
  name: 'snapkv',
  scoring: {
    observes: 'queries',
    score(view, observed) {
      const first = Math.max(0, observed.rows - window);
      return averageOfNeighbours(attentionSums(view, observed, first), observed.firstUnit + first);
    },
  },
  rank({ scores, length, added }: CacheView): Float32Array {
    const observing = length - Math.min(window, added);
    return Float32Array.from(scores, (score, slot) => (slot >= observing ? Infinity : score));
  },
};
