import { LocretError } from '../../errors.js';
import { keyDifference } from './key-difference.js';
import { locret } from './locret.js';
import type { EvictionPolicy, PolicyName } from './policy.js';
import { sinkRecent } from './sink-recent.js';

const policies: Readonly<Record<PolicyName, EvictionPolicy>> = {
  locret,
  'key-difference': keyDifference,
  'sink-recent': sinkRecent,
};

/** Every policy's name, the trained one first. */
export const policyNames: readonly PolicyName[] = ['locret', 'key-difference', 'sink-recent'];

/** The best policy for a model without retaining heads. */
export const trainingFreePolicy: PolicyName = 'key-difference';

/** What a user must know before reading with a policy that uses no retaining heads. */
export const trainingFreeNotice =
  'This memory is kept without trained retaining heads. Answers will be worse: what stays is chosen by a rule that ' +
  'knows nothing about what questions need, and facts that a trained head keeps are lost once the repository is larger ' +
  'than the memory.';

export function policyByName(name: PolicyName): EvictionPolicy {
  return policies[name];
}

/** @throws LocretError invalid-argument for a name that is no policy */
export function parsePolicyName(text: string): PolicyName {
  const name = policyNames.find((known) => known === text);
  if (name !== undefined) return name;
  throw new LocretError(
    'invalid-argument',
    `There is no eviction policy "${text}".`,
    `Choose one of ${policyNames.join(', ')}.`,
  );
}
