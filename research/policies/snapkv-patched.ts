import { attentionSums } from './attention-of-queries.js';
import { averageOfNeighbours } from './neighbours.js';
import type { CacheView } from '../../server/eviction/policy.js';
import type { ForeseeingRival } from './rival.js';

/**
 * SnapKV with the question appended to each chunk ("patching", PruLong, arXiv 2506.17121, as its post-fill eviction is adapted to chunks): a unit is worth the
 * attention that the question's tokens give it, averaged over its neighbours; the question's own units are taken back. It
 * must know the question before the repository is read. Of several questions the one that attends most counts.
 */
export const snapkvPatched: ForeseeingRival = {
  name: 'snapkv-patched',
  scoring: {
    observes: 'patches',
    score(view, observed, patch) {
      const pooled = averageOfNeighbours(attentionSums(view, observed, 0), view.length - patch.units);
      return patch.index === 0 ? pooled : pooled.map((score, slot) => Math.max(score, view.scores[slot] ?? 0));
    },
  },
  rank: ({ scores }: CacheView): Float32Array => scores,
};
