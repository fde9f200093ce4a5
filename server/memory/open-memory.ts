import type { ReadProgress } from '../contract/roots.js';
import type { Engine } from '../engine/engine.js';
import { isLocretError, LocretError, messageOf } from '../errors.js';
import type { Survey } from '../repository/source.js';
import { surveyRepository } from '../repository/survey.js';
import { lock } from './keeping/lock.js';
import { type MemoryHooks, type Tell, tellOnce } from './memory-hooks.js';
import { type KeptMemory, MemoryFiles } from './keeping/memory-files.js';
import { type Keeper, type PartialReading, readOn } from './reading/partial-reading.js';
import { restorePartialReading, savePartialReading } from './keeping/partial-snapshot.js';
import type { PlannedModel, ReadingSettings } from './planning/planned-model.js';
import { readRepository } from './reading/reading.js';
import type { ReadMemory } from './contents/repository-memory.js';
import { SavePace } from './reading/save-pace.js';
import { restoreSnapshot, saveSnapshot } from './keeping/snapshot.js';
import { updateMemory } from './reading/update.js';

export type { MemoryHooks };

/** Which repository is read by which model, and how. */
export interface MemorySettings extends ReadingSettings, KeptMemory {}

/** How a memory is opened. */
export interface OpenHow {
  /** Read from the beginning, even when there is a snapshot or a reading that was interrupted. */
  readonly fresh?: boolean;
  /** Go on with a reading that was interrupted, where there is one, even when there is a snapshot from before it. */
  readonly resume?: boolean;
  /** The repository's files, where they were found just now. */
  readonly survey?: Survey | undefined;
}

/** What is on disk, if it is there and of use; a notice says why it is not. */
async function usable<Content>(isThere: boolean, tell: Tell, restore: () => Promise<Content>) {
  if (!isThere) return undefined;
  try {
    return await restore();
  } catch (error) {
    if (!isLocretError(error, 'snapshot-corrupt') && !isLocretError(error, 'snapshot-foreign')) throw error;
    tell(`${error.message} ${error.remedy}`);
    return undefined;
  }
}

/** Saves; what cannot be saved can still be used, and a notice says so. */
async function saved(tell: Tell, save: () => Promise<void>): Promise<boolean> {
  try {
    await save();
    return true;
  } catch (error) {
    if (isLocretError(error, 'engine-failed')) throw error;
    tell(isLocretError(error) ? `${error.message} ${error.remedy}` : messageOf(error));
    return false;
  }
}

/** The memory, which can tell its retention from now on, also while the engine holds another one. */
async function remembering(memory: ReadMemory): Promise<ReadMemory> {
  await memory.rememberRetention();
  return memory;
}

/** How long a process waits for another one that reads the same repository. */
const lockPatience = 30 * 60_000;

/**
 * Opens the memory of one repository into an engine: restores its snapshot, or reads the repository, and keeps it up to
 * date. The engine may serve other memories in between, one at a time; the caller sees to it that the engine holds this
 * one when it is updated, and that only one operation runs.
 */
export class MemoryOpening {
  private readonly files: MemoryFiles;

  constructor(
    private readonly planned: PlannedModel,
    private readonly engine: Engine,
    private readonly settings: MemorySettings,
  ) {
    this.files = new MemoryFiles(planned, settings);
  }

  /** True when a whole memory's snapshot is on disk. */
  get hasSnapshot(): boolean {
    return this.files.hasSnapshot;
  }

  /** How far an interrupted reading came, told from disk; undefined when there is none. */
  partialProgress(): ReadProgress | undefined {
    return this.files.partialProgress();
  }

  /** Removes what an interrupted reading left: the next one begins at the beginning. */
  dropPartial(): Promise<void> {
    return this.files.dropPartial();
  }

  /**
   * Restores the snapshot; undefined when there is none that can be used, and a notice says why.
   * @throws LocretError engine-failed
   */
  restore(hooks: MemoryHooks = {}): Promise<ReadMemory | undefined> {
    return this.restored(tellOnce(hooks));
  }

  /**
   * Restores the snapshot, or reads the repository, going on where an earlier reading was interrupted. Of several
   * processes that want the same memory one reads and the others wait for its snapshot.
   *
   * A reading that is cancelled keeps what it has read up to the last chunk; what the engine then holds is of no use, and
   * the memory before comes back by {@link restore}.
   * @throws LocretError everything that the survey, reading and the engine throw
   */
  async open(how: OpenHow = {}, hooks: MemoryHooks = {}): Promise<ReadMemory> {
    const { fresh = false, resume = false } = how;
    const tell = tellOnce(hooks);
    const restoredUnlessRead = async (): Promise<ReadMemory | undefined> =>
      fresh || (resume && this.files.hasPartial) ? undefined : this.restored(tell);
    const restored = await restoredUnlessRead();
    if (restored !== undefined) return restored;
    return this.locked(
      hooks,
      tell,
      async () =>
        // Another process may have finished reading meanwhile.
        (await restoredUnlessRead()) ?? this.read(how.survey, fresh, hooks, tell),
    );
  }

  /**
   * Folds what changed on disk into the memory, which the engine holds, and saves it. The given memory is not valid
   * afterwards, unless it is returned because nothing changed. When the update fails or is cancelled the given memory is
   * put back from its snapshot.
   *
   * @returns undefined when so much changed that reading anew is better; then nothing was touched
   * @throws LocretError what {@link updateMemory} throws, memory-locked
   */
  update(memory: ReadMemory, hooks: MemoryHooks = {}): Promise<ReadMemory | undefined> {
    const tell = tellOnce(hooks);
    return this.locked(hooks, tell, () => this.puttingBack(tell, () => this.updated(memory, hooks, tell)));
  }

  private async locked<Result>(hooks: MemoryHooks, tell: Tell, task: () => Promise<Result>): Promise<Result> {
    const release = await lock(this.files.lock, {
      patience: lockPatience,
      signal: hooks.signal,
      onWait: (pid) => {
        tell(`Process ${pid ?? 'unknown'} is reading this repository; waiting for it.`);
      },
    });
    try {
      return await task();
    } finally {
      await release?.();
    }
  }

  private restored(tell: Tell): Promise<ReadMemory | undefined> {
    const { snapshot, identity, hasSnapshot } = this.files;
    return usable(hasSnapshot, tell, async () =>
      remembering(await restoreSnapshot(snapshot, this.engine, this.planned.model, identity)),
    );
  }

  /** @param fresh a reading that was interrupted is dropped, not gone on with */
  private async read(found: Survey | undefined, fresh: boolean, hooks: MemoryHooks, tell: Tell): Promise<ReadMemory> {
    const { root, model, plan } = this.planned;
    const options = this.settings.survey;
    const survey = found ?? (await surveyRepository(root, options, hooks));
    if (fresh) await this.files.dropPartial();
    const { partial: file, identity, hasPartial } = this.files;
    const partial = await usable(hasPartial && !fresh, tell, () => restorePartialReading(file, this.engine, identity));
    if (partial !== undefined) {
      const { files } = readOn(partial, survey).survey;
      tell(`Going on where reading was interrupted: ${partial.map.files.length} of ${files.length} files.`);
    }
    const memory = await readRepository({
      engine: this.engine,
      model,
      survey,
      options,
      local: plan.local,
      structure: plan.structure,
      partial,
      keeper: await this.partialKeeper(tell),
      onProgress: hooks.onProgress,
      signal: hooks.signal,
    });
    if (await saved(tell, () => saveSnapshot(this.files.snapshot, memory, identity))) {
      await this.files.dropPartial();
    }
    return remembering(memory);
  }

  /** Saves a reading when it is interrupted, and now and then while it goes on. */
  private async partialKeeper(tell: Tell): Promise<Keeper<PartialReading>> {
    const { partial: file, identity } = this.files;
    const pace = new SavePace((await this.engine.stats()).cacheBytes);
    return {
      isDue: () => pace.isDue,
      keep: (partial, progress) =>
        pace.timed(async () => {
          await saved(tell, () => savePartialReading(file, this.engine, partial, progress, identity));
        }),
    };
  }

  private async updated(memory: ReadMemory, hooks: MemoryHooks, tell: Tell): Promise<ReadMemory | undefined> {
    const { structure } = this.planned.plan;
    const { onProgress, signal } = hooks;
    const updated = await updateMemory({ memory, structure, onProgress, signal });
    if (updated === undefined || updated === memory) return updated;
    const { snapshot, identity } = this.files;
    await saved(tell, () => saveSnapshot(snapshot, updated, identity));
    return remembering(updated);
  }

  /** Runs a task that changes the memory; when it fails whoever goes on asking gets the memory before back. */
  private async puttingBack<Result>(tell: Tell, task: () => Promise<Result>): Promise<Result> {
    try {
      return await task();
    } catch (error) {
      // The cache is part old, part new.
      if (isLocretError(error, 'engine-failed') || (await this.restored(tell)) !== undefined) throw error;
      throw new LocretError(
        'engine-failed',
        `The update did not end: ${messageOf(error)} The memory before it has no snapshot to return to.`,
        'Open the repository again.',
        { cause: error },
      );
    }
  }
}
