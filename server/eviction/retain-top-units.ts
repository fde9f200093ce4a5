import { LocretError } from '../errors.js';
import { bitsOf, highestByCount, isNaNBits, orderedKey } from './radix-selection.js';

/** What limits one eviction. All in cache units of one KV head. */
export interface RetainLimits {
  /** Units that stay (b). Infinity: all. */
  readonly budget: number;
  /** First units, exempt. */
  readonly pinned: number;
  /** Newest units, exempt (n_s). */
  readonly stabilizers: number;
}

function checkLimits({ budget, pinned, stabilizers }: RetainLimits): void {
  const wholeBudget = budget === Infinity || (Number.isSafeInteger(budget) && budget > 0);
  const wholeExempt =
    Number.isSafeInteger(pinned) && pinned >= 0 && Number.isSafeInteger(stabilizers) && stabilizers >= 0;
  if (wholeBudget && wholeExempt && pinned + stabilizers <= budget) return;
  throw new LocretError(
    'invalid-argument',
    `A budget of ${budget} cache units cannot hold ${pinned} pinned units and ${stabilizers} stabilizers.`,
    'Give whole numbers, with a budget of at least the pinned units and the stabilizers together.',
  );
}

function checkRanks(ranks: Float32Array, bits: Int32Array, length: number): void {
  for (let slot = 0; slot < length; slot++) {
    if (!isNaNBits(bits[slot] ?? 0)) continue;
    throw new LocretError(
      'model-corrupt',
      `The rank of the cache unit in slot ${slot} of ${length} is not a number (${ranks[slot]}).`,
      "Check the model's weights and its retaining heads: they produce values that are not finite.",
    );
  }
}

/**
 * Chooses the cache units of one KV head that stay (Algorithm 1 of arXiv 2410.01805, line "top-b"): the first `pinned`,
 * the last `stabilizers`, and of the others those with the highest ranks; of equal ranks the newer unit (the higher
 * slot) stays. Without stabilizers nothing is exempt at the end.
 *
 * @param ranks one rank per slot, `[>= length]`; any float32 but NaN
 * @param length units in the cache of this head
 * @returns the slots of the units that stay, ascending, `[min(length, budget)]`
 * @throws LocretError invalid-argument when the exempt units exceed the budget, model-corrupt when a rank is NaN
 */
export function retainTopUnits(ranks: Float32Array, length: number, limits: RetainLimits): Int32Array {
  checkLimits(limits);
  if (length > ranks.length) throw new RangeError(`${length} units but only ${ranks.length} ranks`);
  const bits = bitsOf(ranks, length);
  checkRanks(ranks, bits, length);
  const { budget, pinned, stabilizers } = limits;
  if (length <= budget) return Int32Array.from({ length }, (_, slot) => slot);

  const kept = new Int32Array(budget);
  const end = length - stabilizers;
  const count = budget - pinned - stabilizers;
  for (let slot = 0; slot < pinned; slot++) kept[slot] = slot;
  for (let i = 0; i < stabilizers; i++) kept[budget - stabilizers + i] = end + i;
  if (count === 0) return kept;

  const threshold = highestByCount(bits, pinned, end, count);
  let ties = threshold.ties;
  let next = pinned + count;
  // From the newest unit down, so that of equal ranks the newer ones are taken first.
  for (let slot = end - 1; next > pinned; slot--) {
    const key = orderedKey(bits[slot] ?? 0);
    if (key < threshold.key || (key === threshold.key && ties-- <= 0)) continue;
    kept[--next] = slot;
  }
  return kept;
}

/**
 * How clear an eviction was: the smallest kept rank minus the largest evicted one, among units that were not exempt.
 * Never negative; 0 when equal ranks were told apart by age; Infinity when nothing was evicted or no unit had to earn
 * its place.
 *
 * @param kept what {@link retainTopUnits} returned for the same ranks, length and limits
 */
export function evictionMargin(ranks: Float32Array, length: number, kept: Int32Array, limits: RetainLimits): number {
  const end = length - limits.stabilizers;
  let smallestKept = Infinity;
  let largestEvicted = -Infinity;
  let next = 0;
  for (let slot = 0; slot < end; slot++) {
    const isKept = kept[next] === slot;
    if (isKept) next++;
    if (slot < limits.pinned) continue;
    const rank = ranks[slot] ?? 0;
    if (isKept) smallestKept = Math.min(smallestKept, rank);
    else largestEvicted = Math.max(largestEvicted, rank);
  }
  return smallestKept === largestEvicted ? 0 : smallestKept - largestEvicted;
}
