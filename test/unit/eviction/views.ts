import type { ObservedQueries } from '../../../research/policies/rival.js';
import type { CacheView } from '../../../server/eviction/policy.js';

/** A view of units with these keys, in layer 1, KV head 0; the last one is new. */
export function viewOf(keys: readonly (readonly number[])[], parts: Partial<CacheView> = {}): CacheView {
  const headDim = keys[0]?.length ?? 0;
  return {
    layer: 1,
    kvHead: 0,
    length: keys.length,
    added: 1,
    headDim,
    keys: Float32Array.from(keys.flat()),
    values: new Float32Array(keys.length * headDim),
    scores: new Float32Array(keys.length),
    tokenIndices: Int32Array.from(keys.keys()),
    limits: { budget: keys.length, pinned: 0, stabilizers: 0 },
    ...parts,
  };
}

/** No rotation in so many slots. */
function unturned(slots: number, pairs: number): ObservedQueries['rotation'] {
  return {
    pairs,
    slots,
    turnCos: new Float32Array(slots * pairs).fill(1),
    turnSin: new Float32Array(slots * pairs),
  };
}

/** Queries of the last units of a view, one query head. */
export function queriesOf(
  view: CacheView,
  rows: readonly (readonly number[])[],
  parts: Partial<ObservedQueries> = {},
): ObservedQueries {
  return {
    queries: Float32Array.from(rows.flat()),
    rows: rows.length,
    heads: 1,
    firstHead: 0,
    group: 1,
    firstUnit: view.length - rows.length,
    firstSlot: view.length - rows.length,
    rotation: unturned(view.length, view.headDim / 2),
    ...parts,
  };
}
