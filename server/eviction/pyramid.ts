/** How steep the pyramid is: the uppermost layer keeps this fraction of the mean, beside what is exempt. */
const steepness = 20;

/** What a pyramid of budgets is made of. Cache units per KV head. */
export interface Pyramid {
  /** Budget of a layer on average. */
  readonly budget: number;
  /** Units that every layer holds whatever its budget: pinned ones and stabilizers. */
  readonly exempt: number;
  readonly layers: number;
  /** No layer keeps more. At least the budget. */
  readonly longest: number;
}

/**
 * PyramidKV (arXiv 2406.02069, section 3.2, and the authors' code): attention spreads over all of the text in lower layers
 * and gathers on few units in upper ones, so budgets fall linearly from layer to layer. With C = budget - exempt:
 * smallest = C / 20, largest = 2 C - smallest, and layer l of L keeps exempt + largest - l (largest - smallest) / (L - 1).
 * Where the largest does not fit it is cut, and the smallest grows by as much, as theirs does.
 *
 * The authors round the step down; here budgets are rounded in pairs, so that they are the given one on average exactly.
 * @returns the budget of every layer, `[layers]`
 */
export function pyramidBudgets({ budget, exempt, layers, longest }: Pyramid): number[] {
  const mean = budget - exempt;
  const largest = Math.min(2 * mean - Math.floor(mean / steepness), longest - exempt);
  const smallest = 2 * mean - largest;
  const lowerHalf = Array.from({ length: layers >> 1 }, (_, layer) =>
    Math.round(largest - (layer * (largest - smallest)) / (layers - 1)),
  );
  const upperHalf = lowerHalf.map((units) => 2 * mean - units).reverse();
  return [...lowerHalf, ...(layers % 2 === 1 ? [mean] : []), ...upperHalf].map((units) => exempt + units);
}
