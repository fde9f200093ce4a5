import { describe, expect, it } from 'vitest';
import { pyramidBudgets } from '../../../server/eviction/pyramid.js';
import { shareBudget, type SharedLimits } from '../../../server/eviction/shared-budget.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe('the pyramid of budgets', () => {
  /** As the authors' code has it, which rounds the step down. */
  function published(capacity: number, window: number, layers: number): number[] {
    const smallest = Math.floor((capacity - window) / 20);
    const largest = (capacity - window) * 2 - smallest;
    const step = Math.floor((largest - smallest) / (layers - 1));
    return Array.from({ length: layers }, (_, layer) => window + largest - layer * step);
  }

  it.each([
    [2048, 64, 32],
    [512, 32, 28],
    [128, 8, 6],
    [1000, 0, 5],
  ])(
    "keeps the authors' budgets but for the rounding of their step: %i units, %i exempt, %i layers",
    (b, w, layers) => {
      const budgets = pyramidBudgets({ budget: b, exempt: w, layers, longest: Infinity });
      published(b, w, layers).forEach((expected, layer) => {
        expect(Math.abs((budgets[layer] ?? NaN) - expected)).toBeLessThanOrEqual(layer + 1);
      });
      expect(budgets[0]).toBe(published(b, w, layers)[0]);
      expect(budgets.at(-1)).toBe(w + Math.floor((b - w) / 20));
    },
  );

  it.each([
    [512, 100, 6, Infinity],
    [333, 7, 7, Infinity],
    [333, 7, 24, 500],
    [64, 64, 8, Infinity],
    [50, 0, 1, Infinity],
  ])(
    'takes the memory of equal budgets exactly: %i units, %i exempt, %i layers, longest %d',
    (budget, exempt, layers, longest) => {
      const budgets = pyramidBudgets({ budget, exempt, layers, longest });
      expect(sum(budgets)).toBe(layers * budget);
      expect(budgets).toHaveLength(layers);
      expect(Math.min(...budgets)).toBeGreaterThanOrEqual(exempt);
      expect(budgets).toEqual([...budgets].sort((a, b) => b - a));
    },
  );

  it('is flatter where the lowest layer would not fit', () => {
    expect(pyramidBudgets({ budget: 100, exempt: 0, layers: 5, longest: 140 })).toEqual([140, 120, 100, 80, 60]);
    expect(pyramidBudgets({ budget: 100, exempt: 0, layers: 5, longest: 100 })).toEqual([100, 100, 100, 100, 100]);
  });
});

describe('a budget that KV heads share', () => {
  const limits: SharedLimits = { budget: 5, pinned: 0, stabilizers: 0, longest: Infinity };
  const ranks = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

  /** AdaKV word for word: safeguarded units of each head first, then the highest ranks of all heads. */
  function naive(heads: readonly Float32Array[], { budget, pinned, stabilizers, longest }: SharedLimits): number[] {
    const kept = heads.map((head) => {
      const exempt = head.map((_, slot) => Number(slot < pinned || slot >= head.length - stabilizers));
      const byRank = [...head.keys()].sort(
        (a, b) => (exempt[b] ?? 0) - (exempt[a] ?? 0) || (head[b] ?? 0) - (head[a] ?? 0),
      );
      return { byRank, least: Math.max(Math.floor(budget / 5), sum([...exempt])) };
    });
    const open = kept.flatMap(({ byRank, least }, head) =>
      byRank.slice(least, longest).map((slot) => ({ head, rank: heads[head]?.[slot] ?? NaN })),
    );
    const left = heads.length * budget - sum(kept.map(({ least }) => least));
    const chosen = open.sort((a, b) => b.rank - a.rank || a.head - b.head).slice(0, left);
    return kept.map(({ least }, index) => least + chosen.filter(({ head }) => head === index).length);
  }

  it('goes to the head with the higher ranks, but for the fifth that every head keeps', () => {
    expect(
      shareBudget([ranks(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), ranks(11, 12, 13, 14, 15, 16, 17, 18, 19, 20)], limits),
    ).toEqual([1, 9]);
  });

  it('agrees with the definition on many numbers of heads, limits and ranks, equal ones too', () => {
    let state = 1;
    const random = (below: number): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return (state >> 8) % below;
    };
    for (let round = 0; round < 400; round++) {
      const length = 20 + random(20);
      const heads = Array.from({ length: 1 + random(5) }, () =>
        Float32Array.from({ length }, () => random(round % 2 === 0 ? 12 : 10_000) - 6),
      );
      const budget = 10 + random(9);
      const given = { budget, pinned: random(4), stabilizers: random(5), longest: budget + random(30) };
      const shared = shareBudget(heads, given);
      expect(shared, JSON.stringify(given)).toEqual(naive(heads, given));
      expect(sum(shared)).toBeLessThanOrEqual(heads.length * budget);
    }
  });

  it('leaves everything where there is less than the budget, and gives no head more than the longest may have', () => {
    expect(shareBudget([ranks(1, 2), ranks(5, 6, 7)], limits)).toEqual([2, 3]);
    expect(shareBudget([ranks(1, 2, 3, 4, 5, 6), ranks(11, 12, 13, 14, 15, 16)], { ...limits, longest: 5 })).toEqual([
      5, 5,
    ]);
  });
});
