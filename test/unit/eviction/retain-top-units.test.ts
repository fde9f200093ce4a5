import { describe, expect, it } from 'vitest';
import { evictionMargin, retainTopUnits, type RetainLimits } from '../../../server/eviction/retain-top-units.js';

/** Algorithm 1 of the paper, written down with a full sort. */
function naive(ranks: Float32Array, length: number, { budget, pinned, stabilizers }: RetainLimits): number[] {
  if (length <= budget) return Array.from({ length }, (_, slot) => slot);
  const slots = Array.from({ length }, (_, slot) => slot);
  const exempt = slots.filter((slot) => slot < pinned || slot >= length - stabilizers);
  const others = slots.filter((slot) => slot >= pinned && slot < length - stabilizers);
  const rank = (slot: number): number => ranks[slot] ?? NaN;
  const byRank = others.sort((a, b) => (rank(a) === rank(b) ? b - a : rank(a) > rank(b) ? -1 : 1));
  return [...exempt, ...byRank.slice(0, budget - exempt.length)].sort((a, b) => a - b);
}

/** A small linear congruential generator: the same cases in every run. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const special = [0, -0, Infinity, -Infinity, 1e-45, -1e-45, 3.4028234663852886e38, -3.4028234663852886e38, 1, -1];

describe('retainTopUnits', () => {
  it('agrees with a full sort for random ranks of every kind', () => {
    const random = generator(1);
    const below = (n: number): number => Math.floor(random() * n);
    const kinds: (() => number)[] = [
      () => random() * 2 - 1,
      () => below(4) - 2,
      () => special[below(special.length)] ?? 0,
      () => (random() - 0.5) * 2e-44,
      () => 1 + below(5) * 2 ** -23,
      () => 7,
    ];
    for (let round = 0; round < 4000; round++) {
      const kind = kinds[round % kinds.length] ?? random;
      const length = 1 + below(120);
      const ranks = Float32Array.from({ length: length + below(3) }, kind);
      const budget = 1 + below(length + 3);
      const pinned = below(budget + 1);
      const limits = { budget, pinned, stabilizers: below(budget - pinned + 1) };
      expect(Array.from(retainTopUnits(ranks, length, limits)), JSON.stringify({ length, limits })).toEqual(
        naive(ranks, length, limits),
      );
    }
  });

  it('agrees with a full sort for arbitrary bit patterns', () => {
    const random = generator(2);
    const bits = Uint32Array.from({ length: 3000 }, () => random() * 2 ** 32);
    const ranks = new Float32Array(bits.buffer).map((value) => (Number.isNaN(value) ? 0 : value));
    for (const budget of [1, 2, 1500, 2999]) {
      const limits = { budget, pinned: 0, stabilizers: 0 };
      expect(Array.from(retainTopUnits(ranks, 3000, limits))).toEqual(naive(ranks, 3000, limits));
    }
  });

  it('keeps the newer of equal ranks', () => {
    const ranks = Float32Array.of(5, 1, 1, 1, 9, 0);
    expect(Array.from(retainTopUnits(ranks, 6, { budget: 4, pinned: 0, stabilizers: 0 }))).toEqual([0, 2, 3, 4]);
  });

  it('treats 0 and -0 as equal', () => {
    const ranks = Float32Array.of(0, -0, 0, -0);
    expect(Array.from(retainTopUnits(ranks, 4, { budget: 2, pinned: 0, stabilizers: 0 }))).toEqual([2, 3]);
  });

  it('protects nothing with no stabilizers', () => {
    const ranks = Float32Array.of(4, 3, 2, 1);
    expect(Array.from(retainTopUnits(ranks, 4, { budget: 2, pinned: 0, stabilizers: 0 }))).toEqual([0, 1]);
  });

  it('keeps pinned and newest units whatever their rank', () => {
    const ranks = Float32Array.of(-9, 5, 6, 7, -9);
    expect(Array.from(retainTopUnits(ranks, 5, { budget: 3, pinned: 1, stabilizers: 1 }))).toEqual([0, 3, 4]);
    expect(Array.from(retainTopUnits(ranks, 5, { budget: 2, pinned: 1, stabilizers: 1 }))).toEqual([0, 4]);
  });

  it('keeps everything up to the budget, and without one', () => {
    const ranks = Float32Array.of(3, 1, 2);
    expect(Array.from(retainTopUnits(ranks, 3, { budget: 3, pinned: 0, stabilizers: 2 }))).toEqual([0, 1, 2]);
    expect(Array.from(retainTopUnits(ranks, 2, { budget: Infinity, pinned: 0, stabilizers: 0 }))).toEqual([0, 1]);
    expect(retainTopUnits(ranks, 0, { budget: 1, pinned: 0, stabilizers: 0 })).toHaveLength(0);
  });

  it('reads a view into a larger buffer', () => {
    const cache = Float32Array.of(100, 100, 1, 3, 2, 100);
    expect(Array.from(retainTopUnits(cache.subarray(2, 5), 3, { budget: 1, pinned: 0, stabilizers: 0 }))).toEqual([1]);
  });

  it.each([
    { budget: 4, pinned: 2, stabilizers: 3 },
    { budget: 4, pinned: 0, stabilizers: 5 },
    { budget: 0, pinned: 0, stabilizers: 0 },
    { budget: 2.5, pinned: 0, stabilizers: 0 },
    { budget: 4, pinned: -1, stabilizers: 0 },
    { budget: 4, pinned: 0, stabilizers: NaN },
  ])('refuses limits that contradict each other: %o', (limits) => {
    expect(() => retainTopUnits(new Float32Array(8), 8, limits)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });

  it('names the slot of a rank that is not a number', () => {
    const quietNegative = new Float32Array(Uint32Array.of(0xffc00000).buffer)[0] ?? 0;
    const message: unknown = expect.stringContaining('slot 2');
    for (const rank of [NaN, quietNegative]) {
      const ranks = Float32Array.of(1, 2, rank, 3);
      expect(() => retainTopUnits(ranks, 4, { budget: 2, pinned: 0, stabilizers: 2 })).toThrow(
        expect.objectContaining({ code: 'model-corrupt', message }),
      );
    }
  });
});

describe('evictionMargin', () => {
  const margin = (ranks: Float32Array, limits: RetainLimits): number =>
    evictionMargin(ranks, ranks.length, retainTopUnits(ranks, ranks.length, limits), limits);

  it('is the smallest kept minus the largest evicted rank', () => {
    expect(margin(Float32Array.of(1, 8, 3, 5), { budget: 2, pinned: 0, stabilizers: 0 })).toBe(2);
  });

  it('does not count pinned units and stabilizers', () => {
    expect(margin(Float32Array.of(-50, 8, 3, 5, -50), { budget: 3, pinned: 1, stabilizers: 1 })).toBe(3);
  });

  it('is 0 when age decided, between infinities too', () => {
    expect(margin(Float32Array.of(2, 2, 2), { budget: 2, pinned: 0, stabilizers: 0 })).toBe(0);
    expect(margin(Float32Array.of(-Infinity, -Infinity, 2), { budget: 2, pinned: 0, stabilizers: 0 })).toBe(0);
  });

  it('is infinite when nothing was evicted', () => {
    expect(margin(Float32Array.of(1, 2), { budget: 2, pinned: 0, stabilizers: 0 })).toBe(Infinity);
  });
});
