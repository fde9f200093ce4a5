import { LocretError } from '../errors.js';
import type { CachePlan } from './engine.js';

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
      `a finite budget and a longest KV head of at least that, not ${budget} and ${uneven?.longest}`,
    ],
    [budget === Infinity || capacity >= budget, `a capacity of at least the budget, ${budget}, not ${capacity}`],
  ];
  for (const [holds, text] of expectations) {
    if (!holds) throw new LocretError('invalid-argument', `The cache plan needs ${text}.`, 'Choose other sizes.');
  }
}
