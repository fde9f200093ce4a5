import { LocretError } from '../errors.js';
import type { AllocationName } from '../contract/words.js';

/** Budgets that differ between layers; `budget` is their mean. */
export interface UnevenBudgets {
  readonly allocation: Exclude<AllocationName, 'even'>;
  /** The most units that a layer's KV heads keep: with those behind, the model's window must hold them. At least `budget`. */
  readonly longest: number;
}

/**
 * The sizes that stay fixed while an engine lives. All in cache units (tokens) per KV head; on average over layers where
 * their budgets differ.
 */
export interface CachePlan {
  /** Units every KV head keeps after a pass (b). Infinity: nothing is ever evicted. */
  readonly budget: number;
  /** Tokens per prefill pass (B). */
  readonly chunk: number;
  /** Newest units exempt from an eviction (n_s). At most `budget - pinned`. */
  readonly stabilizers: number;
  /** First units that are never evicted: the start of the prompt. */
  readonly pinned: number;
  /** Units the cache can hold: budget + chunk while reading, budget + question + answer while asking. */
  readonly capacity: number;
  /** Absent: all budgets are equal. Only with a finite budget. */
  readonly uneven?: UnevenBudgets;
}

/** @throws LocretError invalid-argument when the plan does not add up */
export function checkPlan({ budget, chunk, stabilizers, pinned, capacity, uneven }: CachePlan): void {
  const whole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  const expectations: readonly (readonly [holds: boolean, text: string])[] = [
    [budget === Infinity || whole(budget, 1), `a budget of at least 1, not ${budget}`],
    [whole(chunk, 1), `a chunk of at least 1 token, not ${chunk}`],
    [whole(stabilizers, 0) && whole(pinned, 0), `stabilizers and pinned units of at least 0`],
    [
      stabilizers + pinned <= budget,
      `at most ${budget} stabilizers and pinned units together, not ${stabilizers + pinned}`,
    ],
    [whole(capacity, 1), `a capacity of at least 1, not ${capacity}`],
    [
      uneven === undefined || (budget !== Infinity && whole(uneven.longest, budget)),
      `a finite budget and a longest layer of at least that, not ${budget} and ${uneven?.longest}`,
    ],
    [budget === Infinity || capacity >= budget, `a capacity of at least the budget, ${budget}, not ${capacity}`],
  ];
  for (const [holds, text] of expectations) {
    if (!holds) throw new LocretError('invalid-argument', `The cache plan needs ${text}.`, 'Choose other sizes.');
  }
}
