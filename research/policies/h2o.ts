import { attentionSums } from './attention-of-queries.js';
import type { CacheView } from '../../server/eviction/policy.js';
import type { Rival } from './rival.js';

/** Share of the budget for the newest units; the other half is for the heavy hitters. */
const recentShare = 1 / 2;

/**
 * H2O (arXiv 2306.14048, Algorithm 1): half of the budget is for the newest units, the other half for
 * those that got most attention of all queries so far. score_i = sum over t of softmax(q_t · K / sqrt(d))_i, averaged
 * over the query heads that share the KV head. Attention that fell on a unit before it was last kept counts on.
 */
export const h2o: Rival = {
  name: 'h2o',
  scoring: {
    observes: 'queries',
    score: (view, observed) =>
      Float32Array.from(attentionSums(view, observed, 0), (mass, slot) => (view.scores[slot] ?? 0) + mass),
  },
  rank({ scores, length, limits }: CacheView): Float32Array {
    const recent = length - Math.floor(limits.budget * recentShare);
    return Float32Array.from(scores, (score, slot) => (slot >= recent ? Infinity : score));
  },
};
