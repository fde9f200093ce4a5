import { LocretError } from '../errors.js';
import { keyDifference } from './key-difference.js';
import { locret } from './locret.js';
import type { EvictionPolicy, PolicyName } from './policy.js';
import { sinkRecent } from './sink-recent.js';

const policies = [locret, keyDifference, sinkRecent];
const names = policies.map(({ name }) => name);

/** The policies that can be chosen for a memory, the trained one first. */
export const policyNames: readonly PolicyName[] = names;

/** The best policy for a model without retaining heads. */
export const trainingFreePolicy: PolicyName = 'key-difference';

/** What a user must know before reading with a policy that uses no retaining heads. */
export const trainingFreeNotice =
  'This memory is kept without trained retaining heads. Answers will be worse: what stays is chosen by a rule that ' +
  'knows nothing about what questions need, and facts that a trained head keeps are lost once the repository is larger ' +
  'than the memory.';

/** Makes policies known beside the product's own: for a program to do before it uses any. Known names stay what they are. */
export function registerPolicies(more: readonly EvictionPolicy[]): void {
  const added = more.filter(({ name }) => !names.includes(name));
  policies.push(...added);
  names.push(...added.map(({ name }) => name));
}

/** @throws LocretError invalid-argument for a name that is no policy */
export function policyByName(name: PolicyName): EvictionPolicy {
  const policy = policies.find((known) => known.name === name);
  if (policy !== undefined) return policy;
  throw new LocretError(
    'invalid-argument',
    `There is no eviction policy "${name}".`,
    `Choose one of ${policyNames.join(', ')}.`,
  );
}
