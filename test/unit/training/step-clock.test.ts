import { describe, expect, it } from 'vitest';
import { StepClock } from '../../../server/training/step-clock.js';
import { measurementsLeft } from '../../../server/training/training-steps.js';

/** A clock on which each piece of work takes as long as is said. */
function clockOf(): {
  readonly clock: StepClock;
  readonly work: (kind: 'step' | 'measurement', seconds: number) => Promise<void>;
} {
  let now = 0;
  const clock = new StepClock(8, () => now);
  return {
    clock,
    work: (kind, seconds) =>
      clock.timed(kind, () => {
        now += seconds;
        return Promise.resolve();
      }),
  };
}

describe('the clock of a training', () => {
  it('knows nothing before the first step', () => {
    expect(clockOf().clock.secondsFor(100, 10)).toBe(0);
  });

  it('takes the mean of what was done, of steps and measurements apart', async () => {
    const { clock, work } = clockOf();
    await work('measurement', 10);
    await work('step', 1);
    await work('step', 3);
    expect(clock.secondsFor(5, 2)).toBe(5 * 2 + 2 * 10);
  });

  it('assumes a step for each sample that is measured on, where nothing was measured yet', async () => {
    const { clock, work } = clockOf();
    await work('step', 2);
    expect(clock.secondsFor(0, 1)).toBe(16);
  });
});

describe('measurementsLeft', () => {
  it.each([
    [3000, -1, 11],
    [3000, 0, 10],
    [3000, 2700, 1],
    [3000, 3000, 0],
    [500, 0, 10],
    [120, -1, 4],
    [120, 100, 1],
    [3, -1, 2],
    [3, 0, 1],
  ])('of %i steps after step %i are %i', (steps, measured, left) => {
    expect(measurementsLeft(steps, measured)).toBe(left);
  });
});
