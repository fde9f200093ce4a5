import { describe, expect, it } from 'vitest';
import { RepetitionWatch } from '../../../server/answer/repetition.js';

function lengthUntilLoop(tokens: readonly number[]): number | undefined {
  const watch = new RepetitionWatch();
  const at = tokens.findIndex((token) => {
    watch.push(token);
    return watch.looped;
  });
  return at < 0 ? undefined : at + 1;
}

function repeat(tokens: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => tokens).flat();
}

describe('an answer that repeats itself', () => {
  it('is noticed when one token fills a line', () => {
    expect(lengthUntilLoop([1, 2, 3, ...repeat([9], 100)])).toBe(3 + 32);
  });

  it('is noticed when a sentence comes for the fourth time', () => {
    const sentence = Array.from({ length: 12 }, (_, i) => i + 10);
    expect(lengthUntilLoop([1, 2, ...repeat(sentence, 20)])).toBe(2 + 4 * 12);
  });

  it('is not what a short ruled line, a list of equal items or three equal lines are', () => {
    expect(lengthUntilLoop([1, ...repeat([9], 31), 2, 3])).toBeUndefined();
    expect(lengthUntilLoop([...repeat([4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 3), 1, 2])).toBeUndefined();
    expect(lengthUntilLoop(Array.from({ length: 400 }, (_, i) => (i * i) % 97))).toBeUndefined();
  });
});
