import type { AllocationName } from '../contract/words.js';
import { pyramidBudgets } from './pyramid.js';
import { shareBudget } from './shared-budget.js';
import type { EqualLengths } from '../backends/processor/graph/attention.js';
import type { CachePlan } from '../engine/engine.js';
import type { RetainLimits } from './retain-top-units.js';

const equalLengths: Readonly<Record<AllocationName, EqualLengths>> = {
  even: 'model',
  pyramid: 'layer',
  shared: 'head',
};

/** Which KV heads always hold equally many units under a plan. */
export function equalLengthsOf({ uneven }: CachePlan): EqualLengths {
  return equalLengths[uneven?.allocation ?? 'even'];
}

/** What a plan lets every layer and KV head keep, in cache units. */
export class Budgets {
  /** Which KV heads always hold equally many units. */
  readonly equalLengths: EqualLengths;
  /** The most that one KV head keeps. */
  readonly longest: number;
  /** Units behind what is kept: for a chunk while reading, for question and answer afterwards. */
  readonly behind: number;
  private readonly layers: readonly number[];

  constructor(plan: CachePlan, layers: number) {
    const { budget, capacity, pinned, stabilizers, uneven } = plan;
    this.equalLengths = equalLengthsOf(plan);
    this.longest = uneven?.longest ?? budget;
    this.behind = capacity - Math.min(budget, capacity);
    this.layers =
      uneven?.allocation === 'pyramid'
        ? pyramidBudgets({ budget, exempt: pinned + stabilizers, layers, longest: uneven.longest })
        : Array.from({ length: layers }, () => budget);
  }

  /** Units that a KV head of a layer keeps on average. */
  ofLayer(layer: number): number {
    return this.layers[layer] ?? 0;
  }

  /**
   * Units that each KV head of a layer keeps.
   * @param ranks of each head's units
   */
  ofHeads(layer: number, ranks: readonly Float32Array[], exempt: Omit<RetainLimits, 'budget'>): readonly number[] {
    const budget = this.ofLayer(layer);
    if (this.equalLengths !== 'head') return ranks.map(() => budget);
    return shareBudget(ranks, { ...exempt, budget, longest: this.longest });
  }
}
