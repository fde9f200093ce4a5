import type { CachePlan } from './cache-plan.js';
import { pyramidBudgets } from './pyramid.js';

/** What a plan lets the KV heads of every layer keep, in cache units. */
export class Budgets {
  /** The most that a layer's heads keep. */
  readonly longest: number;
  /** Units behind what is kept: for a chunk while reading, for question and answer afterwards. */
  readonly behind: number;
  private readonly layers: readonly number[];

  constructor({ budget, capacity, pinned, stabilizers, uneven }: CachePlan, layers: number) {
    this.longest = uneven?.longest ?? budget;
    this.behind = capacity - Math.min(budget, capacity);
    this.layers =
      uneven === undefined
        ? Array.from({ length: layers }, () => budget)
        : pyramidBudgets({ budget, exempt: pinned + stabilizers, layers, longest: uneven.longest });
  }

  /** Units that every KV head of a layer keeps. */
  ofLayer(layer: number): number {
    return this.layers[layer] ?? 0;
  }
}
