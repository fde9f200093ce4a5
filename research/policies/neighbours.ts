/** Units that are averaged: SnapKV's kernel. */
const kernel = 5;

/**
 * Averages each number with its neighbours (five in all; what lies outside counts as 0), as SnapKV pools attention.
 * @param end only the numbers before it are pooled; the others stay as they are
 */
export function averageOfNeighbours(numbers: Float64Array, end: number): Float32Array {
  const reach = kernel >> 1;
  return Float32Array.from(numbers, (number, at) => {
    if (at >= end) return number;
    let sum = 0;
    for (let i = Math.max(0, at - reach); i <= Math.min(end - 1, at + reach); i++) sum += numbers[i] ?? 0;
    return sum / kernel;
  });
}
