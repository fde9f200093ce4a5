import { LocretError } from '../errors.js';
import { expectedAttentionPolicy } from '../../research/policies/expected-attention.js';
import { h2o } from '../../research/policies/h2o.js';
import { keyDifference } from './key-difference.js';
import { locret } from './locret.js';
import { nacl } from '../../research/policies/nacl.js';
import { attentionOracle, oracle } from '../../research/policies/oracle.js';
import type { EvictionPolicy, PolicyName } from './policy.js';
import { random } from '../../research/policies/random.js';
import { sinkRecent } from './sink-recent.js';
import { snapkvPatched } from '../../research/policies/snapkv-patched.js';
import { snapkv } from '../../research/policies/snapkv.js';
import { tokenEntropy } from '../../research/policies/token-entropy.js';

const policies: Readonly<Record<PolicyName, EvictionPolicy>> = {
  locret,
  'key-difference': keyDifference,
  'sink-recent': sinkRecent,
  random,
  h2o,
  snapkv,
  'snapkv-patched': snapkvPatched,
  'token-entropy': tokenEntropy,
  'expected-attention': expectedAttentionPolicy,
  nacl,
  oracle,
  'attention-oracle': attentionOracle,
};

/** The policies that can be chosen for a memory, the trained one first. */
export const policyNames: readonly PolicyName[] = [
  'locret',
  'key-difference',
  'sink-recent',
  'random',
  'h2o',
  'snapkv',
  'token-entropy',
  'expected-attention',
  'nacl',
];

/** Policies that must know questions, or their answers, before anything is read: they are for measurements. */
export const foreseeingPolicyNames: readonly PolicyName[] = ['snapkv-patched', 'oracle', 'attention-oracle'];

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
