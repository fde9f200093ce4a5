import { attentionSums } from './attention-of-queries.js';
import type { CacheView } from '../../server/eviction/policy.js';
import { unitHash } from './unit-hash.js';
import type { Rival } from './rival.js';

/** Last tokens of a chunk that stand for the queries to come. */
const proxies = 32;
/** Share of the places that are drawn by lot. */
const drawnShare = 0.3;

/**
 * NACL (arXiv 2408.03675, "Proxy-Tokens Eviction" and "Random Eviction"): of the places that units must earn, most go to those that the
 * proxy tokens at the end of the chunk attend to most; the rest are drawn without replacement with probability
 * softmax(score), a safeguard against a biased score. score_i = sum over the proxies of softmax(q · K / sqrt(d))_i.
 *
 * Drawn with Gumbel noise (arXiv 1903.06059): the largest of score + noise are such a sample. The noise of a
 * unit never changes. Share and number of proxies are ours; the paper tunes them per task.
 */
export const nacl: Rival = {
  name: 'nacl',
  scoring: {
    observes: 'queries',
    score: (view, observed) => Float32Array.from(attentionSums(view, observed, Math.max(0, observed.rows - proxies))),
  },
  rank(view: CacheView): Float32Array {
    const { scores, length, limits } = view;
    const { budget, pinned, stabilizers } = limits;
    const end = length - stabilizers;
    const places = Math.max(0, budget - pinned - stabilizers);
    const chosen = places - Math.floor(places * drawnShare);
    const byScore = Array.from({ length: Math.max(0, end - pinned) }, (_, i) => pinned + i).sort(
      (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a,
    );
    const ranks = Float32Array.from(scores, (score, slot) => score - Math.log(-Math.log(unitHash(view, slot))));
    for (const slot of byScore.slice(0, chosen)) ranks[slot] = Infinity;
    return ranks;
  },
};
