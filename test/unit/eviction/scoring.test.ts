import { describe, expect, it } from 'vitest';
import { retainTopUnits } from '../../../server/eviction/retain-top-units.js';
import { seededRandom } from '../../../server/engine/random.js';
import { averageOfNeighbours } from '../../../research/policies/neighbours.js';
import type { HeadScoring, Rival } from '../../../research/policies/rival.js';
import { foreseeingRivals, rivals } from '../../../research/policies/rivals.js';
import type { CacheView } from '../../../server/eviction/policy.js';
import { unitHash } from '../../../research/policies/unit-hash.js';
import { queriesOf, viewOf } from './views.js';

type ScoringBy<Kind extends HeadScoring['observes']> = Extract<HeadScoring, { observes: Kind }>;

function rivalByName(name: string): Rival {
  const rival = [...rivals, ...foreseeingRivals].find((known) => known.name === name);
  if (rival === undefined) throw new Error(`there is no rival ${name}`);
  return rival;
}

/** How a policy scores units by what it observes. */
function scoringOf<Kind extends HeadScoring['observes']>(name: string, observes: Kind): ScoringBy<Kind> {
  const { scoring } = rivalByName(name);
  const isKind = (one: HeadScoring): one is ScoringBy<Kind> => one.observes === observes;
  if (scoring === undefined || !isKind(scoring)) throw new Error(`${name} does not observe ${observes}`);
  return scoring;
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 5);
  });
}

function kept(name: string, view: CacheView): number[] {
  return [...retainTopUnits(rivalByName(name).rank(view), view.length, view.limits)];
}

/** With keys of length 1 and queries sqrt(d) · log, weights are the numbers themselves: here d = 1. */
const logKeys = (weights: readonly number[]): number[][] => weights.map((weight) => [Math.log(weight)]);

describe('h2o', () => {
  const scoring = scoringOf('h2o', 'queries');

  it('adds the attention of every query to what a unit got before', () => {
    const view = viewOf(logKeys([1, 2, 1, 4]), { added: 2, scores: Float32Array.of(5, 0.5, 0, 0) });
    // The third unit's query sees weights 1, 2, 1; the fourth's 1, 2, 1, 4.
    expectClose(scoring.score(view, queriesOf(view, [[1], [1]])), [
      5 + 1 / 4 + 1 / 8,
      0.5 + 2 / 4 + 2 / 8,
      1 / 4 + 1 / 8,
      4 / 8,
    ]);
  });

  it('averages over the query heads that share the KV head, and no others', () => {
    const view = viewOf(logKeys([1, 3]));
    const observed = queriesOf(view, [[9, 1, 0]], { heads: 3, firstHead: 1, group: 2 });
    expectClose(scoring.score(view, observed), [(1 / 4 + 1 / 2) / 2, (3 / 4 + 1 / 2) / 2]);
  });

  it('gives half of the budget to the newest units, the rest to the heavy hitters', () => {
    const scores = Float32Array.of(1, 9, 2, 8, 0, 0, 0, 0);
    const view = viewOf(logKeys([1, 1, 1, 1, 1, 1, 1, 1]), {
      scores,
      limits: { budget: 4, pinned: 0, stabilizers: 0 },
    });
    expect(kept('h2o', view)).toEqual([1, 3, 6, 7]);
  });
});

describe('snapkv', () => {
  it('averages attention over five neighbours, with nothing beyond the ends', () => {
    expectClose(averageOfNeighbours(Float64Array.of(5, 0, 0, 10, 0, 7), 5), [1, 3, 3, 2, 2, 7]);
  });

  it('scores by the last 32 queries only', () => {
    const keys = Array.from({ length: 40 }, (_, i) => [i === 0 ? 3 : 0]);
    const view = viewOf(keys, { added: 40 });
    const indifferent = Array.from({ length: 40 }, () => [0]);
    const withEarly = indifferent.map((query, row) => (row < 8 ? [5] : query));
    const scoring = scoringOf('snapkv', 'queries');
    expect(scoring.score(view, queriesOf(view, withEarly))).toEqual(scoring.score(view, queriesOf(view, indifferent)));
    const withLate = indifferent.map((query, row) => (row < 9 ? [5] : query));
    expect(scoring.score(view, queriesOf(view, withLate))).not.toEqual(
      scoring.score(view, queriesOf(view, indifferent)),
    );
  });

  it('keeps the observing units themselves, but no more than were added', () => {
    const limits = { budget: 3, pinned: 0, stabilizers: 0 };
    const scores = Float32Array.of(9, 8, 7, 1, 0);
    const keys = logKeys([1, 1, 1, 1, 1]);
    expect(kept('snapkv', viewOf(keys, { scores, limits, added: 2 }))).toEqual([0, 3, 4]);
    expect(kept('snapkv', viewOf(keys, { scores, limits, added: 0 }))).toEqual([0, 1, 2]);
  });

  it('patched: goes by the question, whose own units are not scored, and by the most attentive of several', () => {
    const scoring = scoringOf('snapkv-patched', 'patches');
    const view = viewOf(logKeys([8, 1, 1, 1, 1, 1, 1, 1, 1, 4]), { added: 4 });
    const first = scoring.score(view, queriesOf(view, [[1]]), { index: 0, units: 1 });
    expectClose(
      first.subarray(0, 9),
      [10, 11, 12, 5, 5, 5, 5, 4, 3].map((sum) => sum / 5 / 20),
    );
    const again = scoring.score({ ...view, scores: first }, queriesOf(view, [[-1]]), { index: 1, units: 1 });
    again.forEach((value, unit) => {
      expect(value).toBeGreaterThanOrEqual(first[unit] ?? NaN);
    });
    expect(again[8]).toBeGreaterThan(first[8] ?? NaN);
  });
});

describe('oracle', () => {
  const scoring = scoringOf('oracle', 'patches');

  it('labels new units with the largest logit of any observed query and leaves the older labels', () => {
    const view = viewOf([[1], [2], [-3], [4]], { added: 2, scores: Float32Array.of(7, 0, 0, 0) });
    const labels = scoring.score(view, queriesOf(view, [[2]]), { index: 0, units: 1 });
    expectClose(labels.subarray(0, 3), [7, 4, -6]);
    const again = scoring.score({ ...view, scores: labels }, queriesOf(view, [[-1]]), { index: 1, units: 1 });
    expectClose(again.subarray(0, 3), [7, 4, 3]);
  });

  it('by attention labels them with the largest share that any observed query gives', () => {
    const byAttention = scoringOf('attention-oracle', 'patches');
    const view = viewOf(logKeys([8, 1, 1, 6]), { added: 2, scores: Float32Array.of(0.9, 0, 0, 0) });
    const labels = byAttention.score(view, queriesOf(view, [[1]]), { index: 0, units: 1 });
    expectClose(labels.subarray(0, 3), [0.9, 1 / 16, 1 / 16]);
    const again = byAttention.score({ ...view, scores: labels }, queriesOf(view, [[0]]), { index: 1, units: 1 });
    expectClose(again.subarray(0, 3), [0.9, 1 / 4, 1 / 4]);
  });
});

describe('token-entropy', () => {
  it('scores new units by their surprise, and the first of a pass by the mean', () => {
    const scoring = scoringOf('token-entropy', 'surprisal');
    const view = viewOf(logKeys([1, 1, 1, 1, 1]), { added: 3, scores: Float32Array.of(4, 3, 0, 0, 0) });
    expectClose(scoring.score(view, Float32Array.of(NaN, 1, 6)), [4, 3, 3.5, 1, 6]);
    expectClose(scoring.score(view, Float32Array.of(NaN)), [4, 3, 0, 0, 0]);
  });

  it('keeps the first four units whatever they tell', () => {
    const scores = Float32Array.of(0, 0, 0, 0, 5, 9, 7);
    const limits = { budget: 6, pinned: 0, stabilizers: 0 };
    expect(kept('token-entropy', viewOf(logKeys([1, 1, 1, 1, 1, 1, 1]), { scores, limits }))).toEqual([
      0, 1, 2, 3, 5, 6,
    ]);
  });
});

describe('nacl', () => {
  const keys = logKeys(Array.from({ length: 60 }, () => 1));

  it('gives most places to the most attended units and draws the rest by lot', () => {
    // Only the first twenty differ in score from the others.
    const scores = Float32Array.from({ length: 60 }, (_, slot) => (slot < 20 ? 1 + slot / 100 : 0));
    const limits = { budget: 24, pinned: 2, stabilizers: 2 };
    const stays = kept('nacl', viewOf(keys, { scores, limits }));
    expect(stays).toHaveLength(24);
    // 20 places are earned, 14 of them by score: the best fourteen of slots 2 to 57.
    expect(stays).toEqual(expect.arrayContaining([0, 1, 58, 59, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]));
    expect(stays.some((slot) => slot >= 20 && slot < 58)).toBe(true);
  });

  it('draws units that are attended more with more chance', () => {
    const scores = Float32Array.from({ length: 60 }, (_, slot) => (slot % 2 === 0 ? 0 : 3));
    const limits = { budget: 1, pinned: 0, stabilizers: 0 };
    let odd = 0;
    for (let shift = 0; shift < 200; shift++) {
      const tokenIndices = Int32Array.from({ length: 60 }, (_, slot) => slot + 1000 * shift);
      const ranks = rivalByName('nacl').rank(viewOf(keys, { scores, tokenIndices, limits }));
      // The best unit by score takes the one place for certain; the largest of the others is drawn.
      const finite = Array.from(ranks, (rank) => (rank === Infinity ? -Infinity : rank));
      odd += finite.indexOf(Math.max(...finite)) % 2;
    }
    // e^3 to 1: 95 %
    expect(odd).toBeGreaterThan(170);
    expect(odd).toBeLessThan(200);
  });
});

describe('random', () => {
  it('gives a unit the same number whatever stands around it', () => {
    const rank = (tokens: readonly number[]): number[] =>
      Array.from(
        rivalByName('random').rank(viewOf(logKeys(tokens.map(() => 1)), { tokenIndices: Int32Array.from(tokens) })),
      );
    const [, second, third] = rank([3, 9, 27]);
    expect(rank([9, 27, 40]).slice(0, 2)).toEqual([second, third]);
  });

  it('is even over tokens, and another one in each head and layer', () => {
    const tokenIndices = Int32Array.from({ length: 4096 }, (_, token) => token);
    const numbers = (layer: number, kvHead: number): number[] =>
      Array.from(tokenIndices, (_, slot) => unitHash({ layer, kvHead, tokenIndices }, slot));
    const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
    const first = numbers(0, 0);
    expect(mean(first)).toBeCloseTo(0.5, 1);
    expect(Math.min(...first)).toBeGreaterThan(0);
    expect(Math.max(...first)).toBeLessThan(1);
    for (const [layer, kvHead] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const other = numbers(layer, kvHead);
      const correlation = mean(first.map((one, i) => (one - 0.5) * ((other[i] ?? 0) - 0.5))) * 12;
      expect(Math.abs(correlation)).toBeLessThan(0.06);
    }
  });
});

describe('expected-attention', () => {
  const scoring = scoringOf('expected-attention', 'queries');

  it('is the attention of the mean query times the length of the value when queries do not vary', () => {
    const keys = [
      [Math.log(2), 0],
      [0, 0],
      [Math.log(5), 1],
    ];
    const view = viewOf(keys, { added: 2, values: Float32Array.of(3, 4, 0, 1, 0, 0) });
    const query = [Math.SQRT2, 0];
    expectClose(scoring.score(view, queriesOf(view, [query, query])), [(2 / 8) * 5, 1 / 8, 0]);
  });

  it('adds half of the variance along a key', () => {
    const view = viewOf(
      [
        [1, 0],
        [0, 0],
      ],
      { added: 2, values: Float32Array.of(1, 0, 1, 0) },
    );
    // Queries 2 and -2 along the first dimension: mean 0, variance 4; kᵀΣk / 2d = 4 / 4.
    const scores = scoring.score(
      view,
      queriesOf(view, [
        [2, 0],
        [-2, 0],
      ]),
    );
    expectClose(scores, [Math.E / (Math.E + 1), 1 / (Math.E + 1)]);
  });

  it('takes queries back from their slots and turns them to the slots behind the view', () => {
    // A quarter turn per slot; four slots, two of them behind the view: their mean rotation.
    const turnCos = Float32Array.of(1, 0, -1, 0);
    const turnSin = Float32Array.of(0, 1, 0, -1);
    const view = viewOf(
      [
        [1, 0],
        [0, 1],
      ],
      { added: 1, values: Float32Array.of(1, 0, 1, 0) },
    );
    // In slot 1 the unrotated query (q, 0) stands as (0, q); slots 2 and 3 turn it to (-q, 0) and (0, -q).
    const observed = queriesOf(view, [[0, 4]], { rotation: { pairs: 1, slots: 4, turnCos, turnSin } });
    expectClose(scoring.score(view, observed), [0.5, 0.5]);
    const three = queriesOf(view, [[0, 4]], {
      rotation: { pairs: 1, slots: 3, turnCos: turnCos.slice(0, 3), turnSin: turnSin.slice(0, 3) },
    });
    const weight = Math.exp(-4 / Math.SQRT2);
    expectClose(scoring.score(view, three), [weight / (weight + 1), 1 / (weight + 1)]);
  });
});

describe('scores', () => {
  it('are finite for random keys and queries, of every unit', () => {
    const random = seededRandom(5);
    const numbers = (rows: number): number[][] =>
      Array.from({ length: rows }, () => Array.from({ length: 8 }, () => (random() - 0.5) * 20));
    const view = viewOf(numbers(50), { added: 40, values: Float32Array.from(numbers(50).flat()) });
    for (const name of ['h2o', 'snapkv', 'expected-attention', 'nacl'] as const) {
      const scores = scoringOf(name, 'queries').score(view, queriesOf(view, numbers(40)));
      expect(scores).toHaveLength(50);
      expect(scores.every(Number.isFinite)).toBe(true);
    }
  });
});
