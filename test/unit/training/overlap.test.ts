import { describe, expect, it } from 'vitest';
import { headOverlaps, topOverlap } from '../../../server/training/overlap.js';

const ascending = Float32Array.from({ length: 30 }, (_, index) => index);

describe('topOverlap', () => {
  it('is 1 for scores that order the top tenth as the labels do, whatever their size', () => {
    expect(
      topOverlap(
        ascending.map((value) => value / 7 - 3),
        ascending,
      ),
    ).toBe(1);
  });

  it('is the share of the true top tenth that is found', () => {
    const scores = ascending.slice();
    scores[29] = -1;
    expect(topOverlap(scores, ascending)).toBeCloseTo(2 / 3);
    expect(topOverlap(ascending.slice().reverse(), ascending)).toBe(0);
  });

  it('takes the later one of equal scores, as an eviction does', () => {
    expect(topOverlap(new Float32Array(20), ascending.subarray(0, 20))).toBe(1);
  });

  it('compares one unit where there are fewer than ten', () => {
    expect(topOverlap(Float32Array.of(0, 1, 0), Float32Array.of(0, 5, 4))).toBe(1);
  });
});

it('headOverlaps takes the scores of each KV head from its column', () => {
  const scores = Float32Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? index : -index));
  const labels = Float32Array.from([...Array(20).keys(), ...Array(20).keys()]);
  expect(headOverlaps(scores, labels, 2)).toEqual([1, 0]);
});
