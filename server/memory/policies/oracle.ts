import { largestLogits } from './attention-of-queries.js';
import type { CacheView, EvictionPolicy } from './policy.js';

/**
 * The upper bound for retaining heads: every unit gets its true label when it is read, the largest q · k / sqrt(d) that
 * a token of the answers gives it (the label of Locret, arXiv 2410.01805, labels of training), and keeps it. The questions with
 * their answers are read behind each chunk and taken back; what counts are the answers' queries. For measurements.
 */
export const oracle: EvictionPolicy = {
  name: 'oracle',
  needsRetainingHeads: false,
  scoring: {
    observes: 'patches',
    score(view, observed, patch) {
      const labels = largestLogits(view, observed);
      const firstNew = view.length - patch.units - view.added;
      return Float32Array.from(labels, (label, slot) => {
        const before = view.scores[slot] ?? 0;
        if (slot < firstNew) return before;
        return patch.index === 0 ? label : Math.max(before, label);
      });
    },
  },
  rank: ({ scores }: CacheView): Float32Array => scores,
};
