import { expectedAttentionPolicy } from './expected-attention.js';
import { h2o } from './h2o.js';
import { nacl } from './nacl.js';
import { attentionOracle, oracle } from './oracle.js';
import { random } from './random.js';
import type { ForeseeingRival, Rival } from './rival.js';
import { snapkvPatched } from './snapkv-patched.js';
import { snapkv } from './snapkv.js';
import { tokenEntropy } from './token-entropy.js';

/** The policies that Locret is compared with. */
export const rivals: readonly Rival[] = [random, h2o, snapkv, tokenEntropy, expectedAttentionPolicy, nacl];

/** Rivals that must know questions, or their answers, before anything is read: they are for measurements. */
export const foreseeingRivals: readonly ForeseeingRival[] = [snapkvPatched, oracle, attentionOracle];
