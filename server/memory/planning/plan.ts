import type { CachePlan } from '../../eviction/cache-plan.js';
import type { AllocationName } from '../../eviction/allocation.js';
import type { PolicyName } from '../../eviction/policy.js';
import type { CachePrecision, ChosenBackend, WeightPrecision } from '../../engine/engine.js';
import type { RetainingHeads } from '../../model/checkpoint.js';
import type { StructureName } from '../reading/structure.js';

/** The name of a backend, or `auto`: the preferred one of those that are there and have enough memory. */
export type BackendChoice = string;

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

/** What the user chose; the plan chooses the rest. */
export interface PlanSettings {
  /** Retaining heads; default: the model's own. */
  readonly heads?: string;
  readonly policy?: PolicyName;
  /** How the budget is divided between layers and KV heads; default: the model's, or evenly. */
  readonly allocation?: AllocationName;
  /** What stays before all else; default: the model's, or nothing. */
  readonly structure?: StructureName;
  readonly precision?: WeightPrecision;
  /** Where the model runs; default `auto`. */
  readonly backend?: BackendChoice;
  /** How a GPU holds keys and values; default: as they are computed, if there is room. */
  readonly cachePrecision?: CachePrecision;
  readonly budget?: number;
  readonly chunk?: number;
  readonly stabilizers?: number;
  /** Last tokens of the repository that are appended without eviction (n_loc). */
  readonly local?: number;
  readonly threads: number;
}

/** What decides how large retaining heads are. */
export type HeadsSize = Pick<RetainingHeads, 'input' | 'width'>;

/** Bytes of memory that reading and asking take: of the machine, or of its GPU when the model runs there. */
export interface PlannedBytes {
  /** Weights as the model runs them, with what onnxruntime arranges anew. */
  readonly weights: number;
  /** While weights are packed for the first time; released before reading. */
  readonly packing: number;
  readonly cache: number;
  /** Intermediate values of one pass. */
  readonly activations: number;
  /** The program itself. */
  readonly program: number;
  readonly peak: number;
  /** Free when the plan was made, where the model runs: on this machine or on its GPU. */
  readonly free: number;
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
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
  readonly threads: number;
  readonly backend: PlannedBackend;
  readonly bytes: PlannedBytes;
  /** What the user must know about this plan. */
  readonly notices: readonly string[];
}
