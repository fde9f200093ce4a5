import type { Engine } from '../engine/engine.js';
import { isLocretError, LocretError } from '../errors.js';
import type { MemorySettings } from '../memory/open-memory.js';
import { loadEngine } from '../memory/load-engine.js';
import { planModel, type PlannedModel } from '../memory/planning/planned-model.js';
import type { EngineStatus } from '../contract/protocol.js';
import { resolveRoot } from '../repository/root.js';

/** Whoever's memory is in the engine. */
export interface Occupant {
  /** Called when the engine is given to another memory, or unloaded. */
  onLeave(): void;
}

/** An engine that is loaded, and how its model was planned. */
export interface LoadedEngine {
  readonly engine: Engine;
  readonly planned: PlannedModel;
}

interface Loaded extends LoadedEngine {
  /** Fixed while it is loaded. */
  readonly bytes: Pick<EngineStatus, 'weightBytes' | 'cacheBytes'>;
}

/**
 * The one model of the sidecar. It is loaded when it is first needed and serves the memories of all roots in turn: one is
 * in its cache, the others wait in their snapshots. So weights and cache are held once, however many roots are open.
 */
export class SharedEngine {
  private loaded: Loaded | undefined;
  private planned: PlannedModel | undefined;
  private occupant: Occupant | undefined;

  /**
   * @param onChange called when the model was loaded or unloaded
   * @param isTraining whether a training takes memory meanwhile
   */
  constructor(
    private readonly onChange: () => void,
    private readonly isTraining: () => boolean,
  ) {}

  /** The engine if it is loaded. */
  get current(): LoadedEngine | undefined {
    return this.loaded;
  }

  /**
   * The plan for a root: made once for the model, because all roots share one engine and its sizes.
   * @throws LocretError what {@link planModel} throws; training-under-way when the model does not fit beside a training
   */
  async plan(settings: MemorySettings): Promise<PlannedModel> {
    try {
      this.planned ??= await planModel(settings);
    } catch (error) {
      if (!isLocretError(error, 'out-of-memory') || !this.isTraining()) throw error;
      throw new LocretError(
        'training-under-way',
        `Retaining heads are being trained, and beside that the model has not enough memory. ${error.message}`,
        'Pause the training first.',
        { cause: error },
      );
    }
    return { ...this.planned, root: await resolveRoot(settings.repo) };
  }

  /**
   * Loads the model unless it is loaded.
   * @throws LocretError what {@link plan} and {@link loadEngine} throw
   */
  async load(settings: MemorySettings, onNotice: (notice: string) => void): Promise<LoadedEngine> {
    const planned = await this.plan(settings);
    if (this.loaded === undefined) {
      const engine = await loadEngine(planned, settings.cacheFolder, onNotice);
      const { weightBytes, cacheBytes } = await engine.stats();
      this.loaded = { engine, planned, bytes: { weightBytes, cacheBytes } };
      this.onChange();
    }
    return { engine: this.loaded.engine, planned };
  }

  /** What is loaded, for people; undefined while nothing is. */
  get status(): EngineStatus | undefined {
    if (this.loaded === undefined) return undefined;
    const { engine, planned, bytes } = this.loaded;
    const { backend, precision, policy } = engine.description;
    const backendReason = planned.plan.backend.reason;
    return { model: planned.model.name, backend, backendReason, precision, policy, ...bytes };
  }

  /** Whether a memory is the one in the engine's cache. */
  isHeldBy(occupant: Occupant): boolean {
    return this.occupant === occupant;
  }

  /** Says whose memory the cache will hold from now on; the one before leaves. Undefined: nobody's. */
  give(occupant: Occupant | undefined): void {
    const before = this.occupant;
    this.occupant = occupant;
    if (before !== occupant) before?.onLeave();
  }

  /** Frees the model's memory. The next {@link load} plans anew. */
  async unload(): Promise<void> {
    const { loaded } = this;
    this.loaded = undefined;
    this.planned = undefined;
    this.give(undefined);
    if (loaded === undefined) return;
    await loaded.engine.dispose();
    this.onChange();
  }
}
