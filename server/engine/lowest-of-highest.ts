/**
 * The lowest of the `count` highest numbers; the lowest of all where there are fewer. One pass with a heap of `count`: few
 * numbers of a long list come into it, so that it takes hardly longer than looking at each.
 * @param numbers none of them NaN
 * @param count at least 1
 */
export function lowestOfHighest(numbers: Float32Array, count: number): number {
  // The lowest is at the top: children of i are 2i + 1 and 2i + 2.
  const heap = numbers.slice(0, count);
  const sink = (from: number): void => {
    const number = heap[from] ?? 0;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
      const lower = heap[child] ?? 0;
      if (lower >= number) break;
      heap[at] = lower;
      at = child;
    }
    heap[at] = number;
  };
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at);
  const top = (): number => heap[0] ?? -Infinity;
  let lowest = top();
  for (let i = count; i < numbers.length; i++) {
    const number = numbers[i] ?? -Infinity;
    if (number <= lowest) continue;
    heap[0] = number;
    sink(0);
    lowest = top();
  }
  return lowest;
}
