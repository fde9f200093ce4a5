/** The share of units whose overlap is told, as published. */
const topShare = 0.1;

/** The indices of the `count` largest numbers; of equal ones the later counts, as in an eviction. */
function largest(numbers: Float32Array, count: number): Set<number> {
  const order = Int32Array.from(numbers, (_, index) => index);
  order.sort((a, b) => (numbers[b] ?? 0) - (numbers[a] ?? 0) || b - a);
  return new Set(order.subarray(0, count));
}

/** How many of the tenth of units with the highest labels are among the tenth with the highest scores; chance is 0.1. */
export function topOverlap(scores: Float32Array, labels: Float32Array): number {
  const count = Math.max(1, Math.floor(scores.length * topShare));
  const wanted = largest(labels, count);
  let hits = 0;
  for (const index of largest(scores, count)) if (wanted.has(index)) hits += 1;
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
