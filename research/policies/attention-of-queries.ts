import type { ObservedQueries, ScoredView } from './rival.js';

/** Calls back with q · k / sqrt(d) of every unit that a query sees, for each row from `firstRow` and each query head. */
function forEachQuery(
  { keys, headDim }: ScoredView,
  { queries, rows, heads, firstHead, group, firstUnit }: ObservedQueries,
  firstRow: number,
  visit: (logits: Float64Array, seen: number) => void,
): void {
  const scale = 1 / Math.sqrt(headDim);
  const logits = new Float64Array(firstUnit + rows);
  for (let row = firstRow; row < rows; row++) {
    const seen = firstUnit + row + 1;
    for (let head = firstHead; head < firstHead + group; head++) {
      const from = (row * heads + head) * headDim;
      for (let unit = 0; unit < seen; unit++) {
        const at = unit * headDim;
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += (queries[from + i] ?? 0) * (keys[at + i] ?? 0);
        logits[unit] = dot * scale;
      }
      visit(logits, seen);
    }
  }
}

/** Turns the first `seen` logits into softmax weights. */
function softmax(logits: Float64Array, seen: number): void {
  let largest = -Infinity;
  for (let unit = 0; unit < seen; unit++) largest = Math.max(largest, logits[unit] ?? 0);
  let total = 0;
  for (let unit = 0; unit < seen; unit++) {
    const weight = Math.exp((logits[unit] ?? 0) - largest);
    logits[unit] = weight;
    total += weight;
  }
  for (let unit = 0; unit < seen; unit++) logits[unit] = (logits[unit] ?? 0) / total;
}

/**
 * Attention that each unit gets, softmax(q · K / sqrt(d)) over the units that the query sees, summed over the rows from
 * `firstRow` on and averaged over the query heads of the group. `[length]`
 */
export function attentionSums(view: ScoredView, observed: ObservedQueries, firstRow: number): Float64Array {
  const sums = new Float64Array(view.length);
  forEachQuery(view, observed, firstRow, (logits, seen) => {
    softmax(logits, seen);
    for (let unit = 0; unit < seen; unit++) sums[unit] = (sums[unit] ?? 0) + (logits[unit] ?? 0) / observed.group;
  });
  return sums;
}

/** The largest attention that any of the rows and query heads gives to each unit; 0 where no query sees it. `[length]` */
export function largestAttention(view: ScoredView, observed: ObservedQueries): Float64Array {
  const largest = new Float64Array(view.length);
  forEachQuery(view, observed, 0, (logits, seen) => {
    softmax(logits, seen);
    for (let unit = 0; unit < seen; unit++) largest[unit] = Math.max(largest[unit] ?? 0, logits[unit] ?? 0);
  });
  return largest;
}

/** The largest q · k / sqrt(d) that any of the rows and query heads gives to each unit; 0 where no query sees it. `[length]` */
export function largestLogits(view: ScoredView, observed: ObservedQueries): Float64Array {
  const largest = new Float64Array(view.length).fill(-Infinity);
  forEachQuery(view, observed, 0, (logits, seen) => {
    for (let unit = 0; unit < seen; unit++)
      largest[unit] = Math.max(largest[unit] ?? -Infinity, logits[unit] ?? -Infinity);
  });
  return largest.map((logit) => (logit === -Infinity ? 0 : logit));
}
