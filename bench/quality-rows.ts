import type { PolicyName } from '../server/memory/policies/policy.js';
import type { Mode } from './quality-cell.js';

/** One row of the table: a policy, and how its memory is asked. */
export interface QualityRow {
  readonly name: string;
  readonly policy: PolicyName;
  readonly mode: Mode;
  /** True when nothing is evicted: only where repository, question and answer fit the window. */
  readonly full: boolean;
  /** True when the repository is read anew for each question. */
  readonly perQuestion: boolean;
}

const memory = (name: string, policy: PolicyName): QualityRow => ({
  name,
  policy,
  mode: 'memory',
  full: false,
  perQuestion: false,
});

/** Every row, in the order of the tables. */
export const qualityRows: readonly QualityRow[] = [
  { ...memory('full cache', 'sink-recent'), full: true },
  memory('random', 'random'),
  memory('sink + recent', 'sink-recent'),
  memory('H2O', 'h2o'),
  memory('SnapKV', 'snapkv'),
  memory('SirLLM (token entropy)', 'token-entropy'),
  memory('KeyDiff', 'key-difference'),
  memory('Expected Attention', 'expected-attention'),
  memory('NACL', 'nacl'),
  memory('Locret', 'locret'),
  memory('oracle', 'oracle'),
  { ...memory('SnapKV, patched', 'snapkv-patched'), perQuestion: true },
  { ...memory('Locret, question first', 'locret'), mode: 'question-first', perQuestion: true },
  { ...memory('Locret + recall', 'locret'), mode: 'recall' },
  { ...memory('Locret, deep', 'locret'), mode: 'deep', perQuestion: true },
];

/** The row that the others are compared with. */
export const referenceRow = 'Locret';
