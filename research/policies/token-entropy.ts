import type { CacheView } from '../../server/eviction/policy.js';
import { attentionSinks } from '../../server/eviction/sink-recent.js';
import type { Rival } from './rival.js';

/**
 * SirLLM (arXiv 2405.12528, "Token Entropy"): the units of surprising tokens stay. score_i = -log P(x_i | x_<i),
 * which the paper calls token entropy; the first four units always stay. There are no rounds of dialogue here, so its
 * decay is 1. The surprise of a chunk's first token is not known and taken as the mean of the others.
 */
export const tokenEntropy: Rival = {
  name: 'token-entropy',
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
    Float32Array.from(scores, (score, slot) => (slot < attentionSinks ? Infinity : score)),
};
