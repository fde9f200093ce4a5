/** How the learning rate rises and falls. */
export interface Schedule {
  /** The highest learning rate. */
  readonly rate: number;
  readonly steps: number;
  /** Steps over which the rate rises from 0. */
  readonly warmup: number;
}

/**
 * The learning rate of a step: linear warm-up from 0, then linear decay to 0, as published (arXiv 2410.01805: 2,000 of
 * 3,000 steps).
 * @param step from 0
 */
export function learningRate({ rate, steps, warmup }: Schedule, step: number): number {
  if (step < warmup) return (rate * step) / warmup;
  return (rate * Math.max(0, steps - step)) / Math.max(1, steps - warmup);
}
