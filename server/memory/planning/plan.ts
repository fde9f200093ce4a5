import type { PlannedBytes } from '../../contract/roots.js';
import type { MemoryChoices } from '../../contract/settings.js';
import type { CachePrecision, StructureName, WeightPrecision } from '../../contract/words.js';
import type { CachePlan } from '../../eviction/cache-plan.js';
import type { PolicyName } from '../../eviction/policy.js';
import type { ChosenBackend } from '../../engine/engine.js';
import type { RetainingHeads } from '../../model/checkpoint.js';

/** Where the model runs, and why there, for people. */
export interface PlannedBackend extends ChosenBackend {
  readonly reason: string;
  /** What it runs on: `processor`, or a GPU's name. */
  readonly deviceName: string;
  /** The same within a sentence: `the processor`. */
  readonly place: string;
  /** What tells its snapshots from those of other backends, whose caches have another form. */
  readonly snapshotForm: Readonly<Record<string, string>>;
}

/** What was chosen; the plan and the model's folder choose the rest. */
export interface PlanSettings extends Omit<MemoryChoices, 'policy'> {
  readonly policy?: PolicyName | undefined;
  readonly threads: number;
}

/** What decides how large retaining heads are, and with which labels they were trained, where that is known. */
export interface HeadsSize extends Pick<RetainingHeads, 'input' | 'width'> {
  readonly labels?: string | undefined;
}

/** Everything that is fixed before a model is loaded. */
export interface MemoryPlan {
  readonly cache: CachePlan;
  readonly local: number;
  /** Slots that the model handles well. */
  readonly window: number;
  readonly policy: PolicyName;
  readonly structure: StructureName;
  readonly heads: string | undefined;
  /** With which labels these were trained, where their file tells. */
  readonly headLabels: string | undefined;
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
  readonly threads: number;
  readonly backend: PlannedBackend;
  readonly bytes: PlannedBytes;
  /** What the user must know about this plan. */
  readonly notices: readonly string[];
}
