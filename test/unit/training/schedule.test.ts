import { describe, expect, it } from 'vitest';
import { learningRate } from '../../../server/training/schedule.js';

describe('learningRate', () => {
  it('rises linearly from 0 and falls linearly to 0', () => {
    const schedule = { rate: 1, steps: 10, warmup: 4 };
    const rates = Array.from({ length: 11 }, (_, step) => learningRate(schedule, step));
    expect(rates).toEqual([0, 0.25, 0.5, 0.75, 1, 5 / 6, 4 / 6, 0.5, 2 / 6, 1 / 6, 0]);
  });

  it('begins at its height without a warm-up', () => {
    expect(learningRate({ rate: 2, steps: 4, warmup: 0 }, 0)).toBe(2);
  });

  it('only rises where the warm-up takes all steps', () => {
    expect([0, 1].map((step) => learningRate({ rate: 1, steps: 2, warmup: 2 }, step))).toEqual([0, 0.5]);
  });
});
