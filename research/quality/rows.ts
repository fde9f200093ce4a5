import type { AllocationName, StructureName } from '../../server/contract/words.js';
import type { PolicyName } from '../../server/eviction/policy.js';
import type { Mode } from './cell.js';
import type { TrainedVariant } from './heads.js';

/** One row of the table: a policy, and how its memory is asked. */
export interface QualityRow {
  readonly name: string;
  readonly policy: PolicyName;
  /** How the budget is divided between layers and KV heads. */
  readonly allocation: AllocationName;
  /** What stays before all else. */
  readonly structure: StructureName;
  readonly mode: Mode;
  /** Heads that are trained for it; undefined: the model's own. */
  readonly heads?: TrainedVariant;
  /** True when nothing is evicted: only where repository, question and answer fit the window. */
  readonly full: boolean;
  /** True when the repository is read anew for each question. */
  readonly perQuestion: boolean;
}

const memory = (name: string, policy: PolicyName, allocation: AllocationName = 'even'): QualityRow => ({
  name,
  policy,
  allocation,
  structure: 'none',
  mode: 'memory',
  full: false,
  perQuestion: false,
});

/** The row that the others are compared with: as the bundled model is set. */
export const referenceRow = 'Locret + definitions';
const bundled: QualityRow = { ...memory(referenceRow, 'locret'), structure: 'definitions' };

/** Every row, in the order of the tables. */
export const qualityRows: readonly QualityRow[] = [
  { ...memory('full cache', 'sink-recent'), full: true },
  memory('random', 'random'),
  memory('sink + recent', 'sink-recent'),
  memory('H2O', 'h2o'),
  memory('SnapKV', 'snapkv'),
  memory('PyramidKV (SnapKV + pyramid)', 'snapkv', 'pyramid'),
  memory('SirLLM (token entropy)', 'token-entropy'),
  memory('KeyDiff', 'key-difference'),
  memory('Expected Attention', 'expected-attention'),
  memory('NACL', 'nacl'),
  { ...memory('random + definitions', 'random'), structure: 'definitions' },
  { ...memory('KeyDiff + definitions', 'key-difference'), structure: 'definitions' },
  memory('Locret', 'locret'),
  memory('Locret + pyramid', 'locret', 'pyramid'),
  { ...memory('Locret + file headers', 'locret'), structure: 'headers' },
  bundled,
  { ...bundled, name: 'Locret + definitions + pyramid', allocation: 'pyramid' },
  ...(['published', 'contribution', 'reconstruction'] as const).map((labels) => ({
    ...memory(`Locret, ${labels} labels`, 'locret'),
    heads: { labels, input: 'qkv' } as const,
  })),
  { ...memory('Locret, contribution labels, hidden', 'locret'), heads: { labels: 'contribution', input: 'hidden' } },
  memory('oracle (logits)', 'oracle'),
  memory('oracle (attention)', 'attention-oracle'),
  { ...memory('SnapKV, patched', 'snapkv-patched'), perQuestion: true },
  { ...bundled, name: 'Locret + definitions, question first', mode: 'question-first', perQuestion: true },
  { ...bundled, name: 'Locret + definitions + recall', mode: 'recall' },
  { ...bundled, name: 'Locret + definitions, deep', mode: 'deep', perQuestion: true },
];
