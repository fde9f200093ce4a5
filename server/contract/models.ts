import type { ModelFamily } from './words.js';

interface EntryBase {
  /** The name of its folder or file, by which the model can be chosen. */
  readonly name: string;
  /** Where it lies: a folder or a GGUF file, absolute. */
  readonly folder: string;
  /** What its authors say that it is: the first heading of its card. */
  readonly description?: string | undefined;
}

/** A model that can be used. */
export interface UsableModel extends EntryBase {
  readonly family: ModelFamily;
  readonly parameters: number;
  /** Bytes of weights as stored. */
  readonly storedBytes: number;
  /** True when it has trained retaining heads. */
  readonly heads: boolean;
  /** With which labels they were trained, where their file tells. */
  readonly headLabels?: string | undefined;
}

/** A model that cannot be used, and why. */
export interface UnusableModel extends EntryBase {
  readonly problem: string;
}

export type ModelEntry = UsableModel | UnusableModel;

export interface ModelsResult {
  readonly models: readonly ModelEntry[];
  /** Where users put models of their own. */
  readonly folders: readonly string[];
}

/** The model while it is loaded. */
export interface EngineStatus {
  readonly model: string;
  readonly backend: string;
  /** Why it runs there. */
  readonly backendReason: string;
  readonly precision: string;
  readonly policy: string;
  readonly weightBytes: number;
  readonly cacheBytes: number;
}
