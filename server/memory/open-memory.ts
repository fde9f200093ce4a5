import { existsSync } from 'node:fs';
import type { Engine } from '../engine/engine.js';
import { isLocretError, LocretError, messageOf, throwIfCancelled } from '../errors.js';
import type { Survey, SurveyOptions } from '../repository/source.js';
import { surveyRepository, type SurveyHooks } from '../repository/survey.js';
import { readingIdentity, snapshotFile } from './cache-files.js';
import { lock } from './lock.js';
import type { ReadProgress } from './memory.js';
import { loadEngine, planModel, type PlannedModel, type ReadingSettings } from './planned-model.js';
import { readRepository } from './reading.js';
import type { ReadMemory } from './repository-memory.js';
import { restoreSnapshot, saveSnapshot } from './snapshot.js';
import { updateMemory } from './update.js';

/** Which repository is read by which model, and how. */
export interface MemorySettings extends ReadingSettings {
  readonly survey: SurveyOptions;
  /** Where snapshots and packed weights are kept. */
  readonly cacheFolder: string;
}

/** What a caller wants to hear of one operation, and how it ends it. */
export interface MemoryHooks {
  readonly onProgress?: (progress: ReadProgress) => void;
  /** Called while the repository's files are found, with how many were looked at. */
  readonly onFile?: (filesSeen: number) => void;
  /** Called with what the user should know, as soon as it is known. */
  readonly onNotice?: (notice: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How a memory is opened. */
export interface OpenHow {
  /** Read even when there is a snapshot. */
  readonly fresh?: boolean;
  /** Fold in what changed since the snapshot. */
  readonly update?: boolean;
  /** The repository's files, where they were found just now. */
  readonly survey?: Survey | undefined;
}

type Tell = (notice: string) => void;

/** Tells everything once: a snapshot that cannot be used is looked at again once the lock is held. */
function tellOnce({ onNotice }: MemoryHooks): Tell {
  const told = new Set<string>();
  return (notice) => {
    if (!told.has(notice)) onNotice?.(notice);
    told.add(notice);
  };
}

function surveyHooks({ onFile, signal }: MemoryHooks): SurveyHooks {
  return { ...(onFile === undefined ? {} : { onFile }), ...(signal === undefined ? {} : { signal }) };
}

/** How long a process waits for another one that reads the same repository. */
const lockPatience = 30 * 60_000;

/**
 * Opens the memory of one repository into an engine: restores its snapshot, or reads the repository, and keeps it up to
 * date. The engine may serve other memories in between, one at a time; the caller sees to it that the engine holds this
 * one when it is updated, and that only one operation runs.
 */
export class MemoryOpening {
  private readonly file: string;
  private readonly identity: string;

  constructor(
    private readonly planned: PlannedModel,
    private readonly engine: Engine,
    private readonly settings: MemorySettings,
  ) {
    const origin = { ...planned, options: settings.survey };
    this.file = snapshotFile(settings.cacheFolder, origin);
    this.identity = readingIdentity(origin);
  }

  /** True when a snapshot is on disk. */
  get hasSnapshot(): boolean {
    return existsSync(this.file);
  }

  /**
   * Restores the snapshot; undefined when there is none that can be used, and a notice says why.
   * @throws LocretError engine-failed
   */
  restore(hooks: MemoryHooks = {}): Promise<ReadMemory | undefined> {
    return this.restored(tellOnce(hooks));
  }

  /**
   * Restores the snapshot, or reads the repository. Of several processes that want the same memory one reads and the
   * others wait for its snapshot.
   * @throws LocretError everything that the survey, reading and the engine throw; then the engine may hold a part of the
   * repository, and the memory before comes back by {@link restore}
   */
  async open(how: OpenHow = {}, hooks: MemoryHooks = {}): Promise<ReadMemory> {
    const { fresh = false, update = false } = how;
    const tell = tellOnce(hooks);
    const restored = fresh ? undefined : await this.restored(tell);
    if (restored !== undefined && !update) return restored;
    return this.locked(hooks, tell, async () => {
      // Another process may have finished reading meanwhile.
      const memory = fresh ? undefined : (restored ?? (await this.restored(tell)));
      if (memory === undefined) return this.read(how.survey, hooks, tell);
      return update ? this.updatedOrRead(memory, hooks, tell) : memory;
    });
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

  /** As {@link update}, and reads the repository anew where that is better. */
  updateOrRead(memory: ReadMemory, hooks: MemoryHooks = {}): Promise<ReadMemory> {
    const tell = tellOnce(hooks);
    return this.locked(hooks, tell, () => this.updatedOrRead(memory, hooks, tell));
  }

  private async locked<Result>(hooks: MemoryHooks, tell: Tell, task: () => Promise<Result>): Promise<Result> {
    const release = await lock(`${this.file}.lock`, {
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

  private async restored(tell: Tell): Promise<ReadMemory | undefined> {
    if (!this.hasSnapshot) return undefined;
    try {
      return await restoreSnapshot(this.file, this.engine, this.planned.model, this.identity);
    } catch (error) {
      if (!isLocretError(error, 'snapshot-corrupt') && !isLocretError(error, 'snapshot-foreign')) throw error;
      tell(`${error.message} ${error.remedy}`);
      return undefined;
    }
  }

  private async read(found: Survey | undefined, hooks: MemoryHooks, tell: Tell): Promise<ReadMemory> {
    const { root, model, plan } = this.planned;
    const options = this.settings.survey;
    const memory = await readRepository({
      engine: this.engine,
      model,
      survey: found ?? (await surveyRepository(root, options, surveyHooks(hooks))),
      options,
      local: plan.local,
      onProgress: hooks.onProgress,
      signal: hooks.signal,
    });
    await this.save(memory, tell);
    return memory;
  }

  private async updated(memory: ReadMemory, hooks: MemoryHooks, tell: Tell): Promise<ReadMemory | undefined> {
    const updated = await updateMemory({ memory, onProgress: hooks.onProgress, signal: hooks.signal });
    if (updated !== undefined && updated !== memory) await this.save(updated, tell);
    return updated;
  }

  private updatedOrRead(memory: ReadMemory, hooks: MemoryHooks, tell: Tell): Promise<ReadMemory> {
    return this.puttingBack(tell, async () => {
      const updated = await this.updated(memory, hooks, tell);
      if (updated !== undefined) return updated;
      tell('So much has changed that the repository is read anew.');
      return this.read(undefined, hooks, tell);
    });
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

  /** A memory that cannot be saved can still be asked. */
  private async save(memory: ReadMemory, tell: Tell): Promise<void> {
    try {
      await saveSnapshot(this.file, memory, this.identity);
    } catch (error) {
      if (isLocretError(error, 'engine-failed')) throw error;
      tell(isLocretError(error) ? `${error.message} ${error.remedy}` : messageOf(error));
    }
  }
}

/** A memory, the engine that holds it, and the plan it was made by. The caller disposes of the engine. */
export interface OpenedMemory extends PlannedModel {
  readonly memory: ReadMemory;
  readonly engine: Engine;
  /** Folds what changed on disk into a memory of this engine and saves it; the given memory is not valid afterwards. */
  update(memory: ReadMemory, signal?: AbortSignal): Promise<ReadMemory>;
}

/**
 * Opens the memory of a repository in an engine of its own: from its snapshot if there is one, otherwise by reading it. A
 * snapshot that is damaged or belongs to something else is named and the repository is read again.
 *
 * @throws LocretError everything that {@link planModel}, the survey, reading and the engine throw; the engine is disposed
 */
export async function openMemory(
  settings: MemorySettings,
  how: Omit<OpenHow, 'survey'> = {},
  hooks: MemoryHooks = {},
): Promise<OpenedMemory> {
  const planned = await planModel(settings);
  for (const notice of planned.plan.notices) hooks.onNotice?.(notice);
  const { signal } = hooks;
  const hasSnapshot = existsSync(snapshotFile(settings.cacheFolder, { ...planned, options: settings.survey }));
  // Surveyed before the model is loaded: nobody should wait for a model to be told that there is nothing to read.
  const survey =
    how.fresh === true || !hasSnapshot
      ? await surveyRepository(planned.root, settings.survey, surveyHooks(hooks))
      : undefined;
  const engine = await loadEngine(planned, settings.cacheFolder, (notice) => hooks.onNotice?.(notice));
  try {
    throwIfCancelled(signal, 'Loading the model');
    const opening = new MemoryOpening(planned, engine, settings);
    const memory = await opening.open({ ...how, survey }, hooks);
    return {
      ...planned,
      engine,
      memory,
      update: (held, stop) => opening.updateOrRead(held, { ...hooks, signal: stop }),
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
