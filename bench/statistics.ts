/** The middle of the sorted values; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** How far the values lie apart, relative to their median: (largest - smallest) / median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A mean with the bounds of its 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean of the values with its 95 % percentile bootstrap interval (Efron and Tibshirani, 1993, chapter 13): of 2000
 * samples drawn with replacement.
 * @param random numbers in [0, 1); the same ones give the same interval
 */
export function bootstrap(values: readonly number[], random: () => number): Estimate {
  const samples = 2000;
  const means = Float64Array.from({ length: samples }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)] ?? 0;
    return sum / values.length;
  }).sort();
  const at = (share: number): number => means[Math.round(share * (samples - 1))] ?? NaN;
  return { mean: mean(values), low: at(0.025), high: at(0.975) };
}
