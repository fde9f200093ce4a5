/** The share of units whose overlap is told, as published. */
const topShare = 0.1;

/** Marks the `count` largest numbers; of equal ones the later counts, as in an eviction. */
function largest(numbers: Float32Array, count: number): Uint8Array {
  const threshold = numbers.toSorted()[numbers.length - count] ?? Infinity;
  const isLargest = new Uint8Array(numbers.length);
  let left = count;
  for (const [index, number] of numbers.entries()) {
    if (!(number > threshold)) continue;
    isLargest[index] = 1;
    left -= 1;
  }
  for (let index = numbers.length - 1; index >= 0 && left > 0; index--) {
    if (numbers[index] !== threshold) continue;
    isLargest[index] = 1;
    left -= 1;
  }
  return isLargest;
}

/** How many of the tenth of units with the highest labels are among the tenth with the highest scores; chance is 0.1. */
export function topOverlap(scores: Float32Array, labels: Float32Array): number {
  const count = Math.max(1, Math.floor(scores.length * topShare));
  const wanted = largest(labels, count);
  let hits = 0;
  for (const [index, isLargest] of largest(scores, count).entries()) hits += isLargest & (wanted[index] ?? 0);
  return hits / count;
}

/**
 * {@link topOverlap} of every KV head.
 * @param scores `[tokens, kvHeads]`
 * @param labels `[kvHeads, tokens]`
 */
export function headOverlaps(scores: Float32Array, labels: Float32Array, kvHeads: number): number[] {
  const tokens = scores.length / kvHeads;
  return Array.from({ length: kvHeads }, (_, kvHead) =>
    topOverlap(
      Float32Array.from({ length: tokens }, (__, token) => scores[token * kvHeads + kvHead] ?? 0),
      labels.subarray(kvHead * tokens, (kvHead + 1) * tokens),
    ),
  );
}
