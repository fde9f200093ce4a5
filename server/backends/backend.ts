import type { BackendChoice, CachePrecision } from '../contract/words.js';
import type { ChosenBackend, Engine, EngineOptions } from '../engine/engine.js';
import type { HeadsSize, MemoryPlan, PlanSettings } from '../memory/planning/plan.js';
import type { LoadedModel } from '../model/model.js';

/** Why something cannot be used, as the end of a sentence, and what helps. */
export interface Missing {
  readonly problem: string;
  readonly remedy: string;
}

/** What a plan is made from. */
export interface Planning {
  readonly model: LoadedModel;
  readonly settings: PlanSettings;
  /** The retaining heads, where there are some. */
  readonly retaining: HeadsSize | undefined;
}

/** A device of this machine that models can run on. */
export interface Device {
  /**
   * Plans the memory of reading a repository and asking about it there, before anything is loaded.
   * @param reason why there, for people
   * @throws LocretError window-too-small, invalid-argument or model-unsupported for what it does not do, out-of-memory with
   * the arithmetic
   */
  plan(planning: Planning, reason: string): MemoryPlan;
  /** The same device for an engine whose sizes are planned elsewhere. */
  choose(cachePrecision: CachePrecision): ChosenBackend;
}

/** What a backend finds on this machine: a device, or why there is none. */
export type Detected = {
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** For people: what each is called, and what it is. @param bytes writes a number of bytes */
  readonly rows: (bytes: (count: number) => string) => readonly (readonly [name: string, text: string])[];
} & (
  { readonly device: Device; readonly missing?: undefined } | { readonly device?: undefined; readonly missing: Missing }
);

/** Something that models run on. What only it understands travels as {@link ChosenBackend}'s options. */
export interface Backend {
  /** As it is chosen and shown: a word of the contract. */
  readonly name: Exclude<BackendChoice, 'auto'>;
  /** Looks what is there. Nothing that is missing is an error. */
  detect(): Detected;
  /**
   * Loads a model on the thread that calls; `openEngine` puts it into a worker.
   * @throws LocretError model-not-found, model-unsupported, model-corrupt, heads-corrupt, invalid-argument (a policy that
   * needs heads without heads, a plan that does not add up), disk-full, out-of-memory, engine-failed
   */
  open(options: EngineOptions): Promise<Engine>;
}
