import { describe, expect, it } from 'vitest';
import { lowestOfHighest } from '../../../server/engine/lowest-of-highest.js';
import { seededRandom } from '../../../server/engine/random.js';

describe('the lowest of the highest numbers', () => {
  it('is that of a sorted list, with equal numbers counted one by one', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 200; round++) {
      const numbers = Float32Array.from(
        { length: 1 + Math.floor(60 * random()) },
        () => Math.floor(20 * random()) - 10,
      );
      const count = 1 + Math.floor(numbers.length * random());
      expect(lowestOfHighest(numbers, count)).toBe(numbers.toSorted()[numbers.length - count]);
    }
  });

  it('is the lowest of all where there are fewer', () => {
    expect(lowestOfHighest(Float32Array.of(3, -1, 2), 5)).toBe(-1);
  });

  it('takes numbers that exclude a token', () => {
    expect(lowestOfHighest(Float32Array.of(-Infinity, 4, -Infinity, 1), 3)).toBe(-Infinity);
    expect(lowestOfHighest(Float32Array.of(-Infinity, 4, -Infinity, 1), 2)).toBe(1);
  });
});
