import { describe, expect, it } from 'vitest';
import { bootstrap } from '../../../bench/statistics.js';
import { seededRandom } from '../../../server/engine/random.js';

describe('a bootstrap interval', () => {
  it('is the normal one for many values, and the same for the same seed', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 400 }, () => Number(random() < 0.3));
    const share = values.reduce((sum, value) => sum + value, 0) / 400;
    const { mean, low, high } = bootstrap(values, seededRandom(1));
    const half = 1.96 * Math.sqrt((share * (1 - share)) / 400);
    expect(mean).toBeCloseTo(share, 12);
    expect(low).toBeCloseTo(share - half, 1.7);
    expect(high).toBeCloseTo(share + half, 1.7);
    expect(bootstrap(values, seededRandom(1))).toEqual({ mean, low, high });
  });

  it('has no width when nothing varies', () => {
    expect(bootstrap([2, 2, 2], seededRandom(1))).toEqual({ mean: 2, low: 2, high: 2 });
  });
});
