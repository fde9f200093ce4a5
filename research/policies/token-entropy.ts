import type { CacheView, EvictionPolicy } from '../../server/eviction/policy.js';

/** Units at the start that always stay. */
const sinks = 4;

/**
 * SirLLM (arXiv 2405.12528, "Token Entropy"): the units of surprising tokens stay. score_i = -log P(x_i | x_<i),
 * which the paper calls token entropy; the first four units always stay. There are no rounds of dialogue here, so its
 * decay is 1. The surprise of a chunk's first token is not known and taken as the mean of the others.
 */
export const tokenEntropy: EvictionPolicy = {
  name: 'token-entropy',
  needsRetainingHeads: false,
  scoring: {
    observes: 'surprisal',
    score({ scores, length }, surprisal) {
      const known = surprisal.filter((value) => !Number.isNaN(value));
      const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
      const next = Float32Array.from(scores);
      const first = length - surprisal.length;
      surprisal.forEach((value, token) => {
        next[first + token] = Number.isNaN(value) ? mean : value;
      });
      return next;
    },
  },
  rank: ({ scores }: CacheView): Float32Array =>
    Float32Array.from(scores, (score, slot) => (slot < sinks ? Infinity : score)),
};
