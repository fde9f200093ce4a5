import { registerPolicies } from '../../server/eviction/policy-by-name.js';
import { rivals } from './rivals.js';
import { evictionPolicy } from './score-units.js';

/** Lets the policies that Locret is compared with be chosen: for a program to call before it uses any. */
export function registerRivals(): void {
  registerPolicies(rivals.map((rival) => evictionPolicy(rival)));
}
