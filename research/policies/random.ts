import type { CacheView } from '../../server/eviction/policy.js';
import { unitHash } from './unit-hash.js';
import type { Rival } from './rival.js';

/**
 * An even sample of all units that were ever read: rank = a random number that a unit is given once (reservoir sampling
 * by random keys: Vitter, ACM TOMS 11(1), 1985). The seed is fixed. What a rule that knows nothing keeps.
 */
export const random: Rival = {
  name: 'random',
  rank(view: CacheView): Float32Array {
    return Float32Array.from({ length: view.length }, (_, slot) => unitHash(view, slot));
  },
};
