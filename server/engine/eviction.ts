import { LocretError } from '../errors.js';

/** What limits one eviction. All in cache units of one KV head. */
export interface RetainLimits {
  /** Units that stay (b). Infinity: all. */
  readonly budget: number;
  /** First units, exempt. */
  readonly pinned: number;
  /** Newest units, exempt (n_s). */
  readonly stabilizers: number;
}

const signBit = 0x80000000 | 0;
const magnitudeBits = 0x7fffffff;
const infinityBits = 0x7f800000;

const bucketBits = 11;
const buckets = new Int32Array(1 << bucketBits);

/** The same float32 numbers seen as integers of 32 bits. */
function bitsOf(ranks: Float32Array, length: number): Int32Array {
  return new Int32Array(ranks.buffer, ranks.byteOffset, length);
}

/** Maps the bits of a float32 to an integer in the same order, as signed 32 bits; -0 and 0 become equal. */
function orderedKey(bits: number): number {
  if (bits === signBit) return 0;
  return bits ^ ((bits >> 31) & magnitudeBits);
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
    if (((bits[slot] ?? 0) & magnitudeBits) <= infinityBits) continue;
    throw new LocretError(
      'model-corrupt',
      `The rank of the cache unit in slot ${slot} of ${length} is not a number (${ranks[slot]}).`,
      "Check the model's weights and its retaining heads: they produce values that are not finite.",
    );
  }
}

/**
 * The `count`-th largest key among slots begin..end-1 and how many units of exactly that key belong to the `count`
 * largest: radix selection from the highest bits down, O(end - begin), without allocation.
 */
function selectThreshold(bits: Int32Array, begin: number, end: number, count: number): { key: number; ties: number } {
  let wanted = count;
  let prefix = 0;
  let prefixMask = 0;
  for (const shift of [21, 10, 0]) {
    const mask = shift === 0 ? (1 << 10) - 1 : (1 << bucketBits) - 1;
    buckets.fill(0);
    for (let slot = begin; slot < end; slot++) {
      // Flipping the sign bit turns the signed order into an unsigned one, which buckets need.
      const key = orderedKey(bits[slot] ?? 0) ^ signBit;
      if ((key & prefixMask) !== prefix) continue;
      const bucket = (key >>> shift) & mask;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    let bucket = mask;
    while (wanted > (buckets[bucket] ?? 0)) {
      wanted -= buckets[bucket] ?? 0;
      bucket--;
    }
    prefix |= bucket << shift;
    prefixMask |= mask << shift;
  }
  return { key: prefix ^ signBit, ties: wanted };
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

  const threshold = selectThreshold(bits, pinned, end, count);
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
