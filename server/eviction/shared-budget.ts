/** Part of the budget that a KV head keeps whatever the others' scores are (AdaKV's safeguard). */
const leastShare = 0.2;

/** The fewest units that a KV head keeps of a shared budget. */
export function leastOfShared(budget: number): number {
  return Math.floor(budget * leastShare);
}

/** What limits the KV heads of a layer that share a budget. Cache units. */
export interface SharedLimits {
  /** Of one head on average. */
  readonly budget: number;
  /** First units of every head, exempt. */
  readonly pinned: number;
  /** Newest units of every head, exempt. */
  readonly stabilizers: number;
  /** No head keeps more. */
  readonly longest: number;
}

/** A head's ranks that may have to compete, highest first, and how many units it keeps at least and at most. */
interface Competitor {
  readonly ranks: Float32Array;
  readonly least: number;
  readonly most: number;
}

function competitor(ranks: Float32Array, { budget, pinned, stabilizers, longest }: SharedLimits): Competitor {
  const { length } = ranks;
  const exempt = Math.min(length, pinned + stabilizers);
  const least = Math.min(length, Math.max(leastOfShared(budget), exempt));
  const most = Math.max(least, Math.min(length, longest));
  const open = ranks
    .slice(pinned, Math.max(pinned, length - stabilizers))
    .sort()
    .reverse();
  return { ranks: open.subarray(least - exempt, most - exempt), least, most };
}

/**
 * AdaKV (arXiv 2407.11550, Algorithm 1, with its safeguard): the KV heads of a layer keep together what they would keep
 * with equal budgets. Every head keeps its best units up to 20 % of the budget, and what is exempt; of all others those
 * with the highest ranks stay, whichever head they are of. Ranks must be comparable over heads, as retaining heads'
 * scores are that were trained on `contribution` or `reconstruction` labels. Of equal ranks the lower head's stay.
 *
 * @param heads the ranks of each head's units, `[its length]`
 * @returns units that each head keeps, `[heads]`
 */
export function shareBudget(heads: readonly Float32Array[], limits: SharedLimits): number[] {
  const competitors = heads.map((ranks) => competitor(ranks, limits));
  const left = competitors.reduce((sum, { least }) => sum - least, heads.length * limits.budget);
  const open = competitors.reduce((sum, { ranks }) => sum + ranks.length, 0);
  if (left >= open) return competitors.map(({ most }) => most);
  if (left <= 0) return competitors.map(({ least }) => least);
  const all = new Float32Array(open);
  let filled = 0;
  for (const { ranks } of competitors) {
    all.set(ranks, filled);
    filled += ranks.length;
  }
  const threshold = all.sort()[open - left] ?? -Infinity;
  const above = competitors.map(({ ranks }) => countWhile(ranks, (rank) => rank > threshold));
  let ties = above.reduce((sum, count) => sum - count, left);
  return competitors.map(({ ranks, least }, head) => {
    const higher = above[head] ?? 0;
    const equal = countWhile(ranks, (rank) => rank >= threshold) - higher;
    const taken = Math.min(ties, equal);
    ties -= taken;
    return least + higher + taken;
  });
}

/** How many numbers at the beginning the test holds for; once it does not hold it never holds again. */
function countWhile(numbers: Float32Array, holds: (number: number) => boolean): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
