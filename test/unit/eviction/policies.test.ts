import { describe, expect, it } from 'vitest';
import { retainTopUnits } from '../../../server/eviction/retain-top-units.js';
import { seededRandom } from '../../../server/engine/random.js';
import { registerRivals } from '../../../research/policies/register.js';
import { foreseeingRivals, rivals } from '../../../research/policies/rivals.js';
import { policyByName, policyNames, registerPolicies } from '../../../server/eviction/policy-by-name.js';
import type { CacheView, PolicyName } from '../../../server/eviction/policy.js';
import { viewOf } from './views.js';

const view = (keys: readonly (readonly number[])[], scores: readonly number[] = []): CacheView =>
  viewOf(keys, { scores: Float32Array.from(scores) });

function ranks(name: PolicyName, of: CacheView): number[] {
  return Array.from(policyByName(name).rank(of));
}

describe('locret', () => {
  it('ranks by the retaining heads, unchanged', () => {
    expect(ranks('locret', view([[1], [1], [1]], [0.5, -2, 7]))).toEqual([0.5, -2, 7]);
  });

  it('says what is missing when the model has no heads', () => {
    const message: unknown = expect.stringMatching(/needs 2 scores of layer 1, KV head 0/);
    expect(() => ranks('locret', view([[1], [1]]))).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message }),
    );
  });
});

describe('sink-recent', () => {
  it('keeps the first four and the newest units', () => {
    const units = view(Array.from({ length: 12 }, () => [1]));
    const kept = retainTopUnits(policyByName('sink-recent').rank(units), 12, { budget: 7, pinned: 0, stabilizers: 0 });
    expect(Array.from(kept)).toEqual([0, 1, 2, 3, 9, 10, 11]);
  });

  it('keeps only the newest of the first units in a budget smaller than four', () => {
    const kept = retainTopUnits(ranksOf(9), 9, { budget: 2, pinned: 0, stabilizers: 0 });
    expect(Array.from(kept)).toEqual([2, 3]);
  });

  function ranksOf(length: number): Float32Array {
    return policyByName('sink-recent').rank(view(Array.from({ length }, () => [1])));
  }
});

describe('key-difference', () => {
  it('is minus the cosine to the mean direction of all keys', () => {
    const random = seededRandom(11);
    const keys = Array.from({ length: 40 }, () => Array.from({ length: 8 }, () => (random() - 0.3) * 4));
    const norm = (v: readonly number[]): number => Math.hypot(...v);
    const anchor = Array.from({ length: 8 }, (_, i) => keys.reduce((sum, k) => sum + (k[i] ?? 0) / norm(k), 0) / 40);
    const expected = keys.map((k) => -k.reduce((sum, x, i) => sum + x * (anchor[i] ?? 0), 0) / norm(k) / norm(anchor));
    ranks('key-difference', view(keys)).forEach((rank, i) => {
      expect(rank).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });

  it('ranks the odd one out highest, whatever the length of the keys', () => {
    const odd = ranks(
      'key-difference',
      view([
        [1, 0],
        [100, 1],
        [0, 0.01],
        [5, 0],
      ]),
    );
    expect(odd.indexOf(Math.max(...odd))).toBe(2);
  });

  it('is finite for keys of length 0 and keys that cancel out', () => {
    expect(
      ranks(
        'key-difference',
        view([
          [0, 0],
          [0, 0],
        ]),
      ),
    ).toEqual([0, 0]);
    expect(
      ranks(
        'key-difference',
        view([
          [1, 0],
          [-1, 0],
        ]),
      ),
    ).toEqual([0, 0]);
  });
});

describe('policy names', () => {
  it("are the product's three, and those of rivals once these are registered", () => {
    const own = ['locret', 'key-difference', 'sink-recent'];
    expect(policyNames).toEqual(own);
    registerRivals();
    registerRivals();
    const others = ['random', 'h2o', 'snapkv', 'token-entropy', 'expected-attention', 'nacl'];
    expect(policyNames).toEqual([...own, ...others]);
    expect(rivals.map(({ name }) => name)).toEqual(others);
  });

  it('lead to the policy of that name', () => {
    for (const name of policyNames) expect(policyByName(name).name).toBe(name);
  });

  it('cannot be given to another policy', () => {
    registerPolicies([{ ...policyByName('sink-recent'), name: 'locret' }]);
    expect(policyByName('locret').needsRetainingHeads).toBe(true);
  });

  it('leave out policies that must know the questions', () => {
    for (const { name } of foreseeingRivals) expect(() => policyByName(name)).toThrow(/no eviction policy/);
  });

  it('are listed when one is unknown', () => {
    const remedy: unknown = expect.stringContaining('locret, key-difference, sink-recent');
    expect(() => policyByName('best')).toThrow(expect.objectContaining({ code: 'invalid-argument', remedy }));
  });
});
