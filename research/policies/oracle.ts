import { largestAttention, largestLogits } from './attention-of-queries.js';
import type { CacheView } from '../../server/eviction/policy.js';
import type { ForeseeingRival, ObservedQueries, ScoredView } from './rival.js';

/**
 * An upper bound for retaining heads: every unit gets its true label when it is read, and keeps it. The questions with their
 * answers are read behind each chunk and taken back; what counts are the answers' queries. For measurements.
 */
function foreseeing(
  name: string,
  labelsOf: (view: ScoredView, observed: ObservedQueries) => Float64Array,
): ForeseeingRival {
  return {
    name,
    scoring: {
      observes: 'patches',
      score(view, observed, patch) {
        const labels = labelsOf(view, observed);
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
}

/** By the published label: the largest q · k / sqrt(d) that a token of the answers gives a unit (arXiv 2410.01805). */
export const oracle = foreseeing('oracle', largestLogits);

/** By the largest attention that a token of the answers gives a unit. */
export const attentionOracle = foreseeing('attention-oracle', largestAttention);
