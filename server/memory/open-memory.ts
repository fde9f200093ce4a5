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

export interface MemoryHooks {
  readonly onProgress?: (progress: ReadProgress) => void;
  /** Called while the repository's files are found, with how many were looked at. */
  readonly onFile?: (filesSeen: number) => void;
  /** Called with what the user should know, as soon as it is known. */
  readonly onNotice?: (notice: string) => void;
  readonly signal?: AbortSignal | undefined;
}

function surveyHooks({ onFile }: MemoryHooks, signal: AbortSignal | undefined): SurveyHooks {
  return { ...(onFile === undefined ? {} : { onFile }), ...(signal === undefined ? {} : { signal }) };
}

/** How long a process waits for another one that reads the same repository. */
const lockPatience = 30 * 60_000;

/** Opens the memory of one repository: restores its snapshot, or reads the repository. */
class MemoryOpening {
  private readonly file: string;
  private readonly identity: string;
  private readonly told = new Set<string>();

  constructor(
    private readonly planned: PlannedModel,
    private readonly engine: Engine,
    private readonly settings: MemorySettings,
    private readonly hooks: MemoryHooks,
    /** The repository's files, where they were found just now; for the first reading only. */
    private survey: Survey | undefined,
  ) {
    const origin = { ...planned, options: settings.survey };
    this.file = snapshotFile(settings.cacheFolder, origin);
    this.identity = readingIdentity(origin);
  }

  async open(fresh: boolean, update: boolean): Promise<ReadMemory> {
    const restored = fresh ? undefined : await this.restore();
    if (restored !== undefined && !update) return restored;
    const { signal } = this.hooks;
    return this.locked(signal, async () => {
      // Another process may have finished reading meanwhile.
      const memory = fresh ? undefined : (restored ?? (await this.restore()));
      if (memory === undefined) return this.read(signal);
      return update ? this.updated(memory, signal) : memory;
    });
  }

  update(memory: ReadMemory, signal: AbortSignal | undefined): Promise<ReadMemory> {
    return this.locked(signal, () => this.updated(memory, signal));
  }

  private async locked<Result>(signal: AbortSignal | undefined, task: () => Promise<Result>): Promise<Result> {
    const release = await lock(`${this.file}.lock`, {
      patience: lockPatience,
      signal,
      onWait: (pid) => {
        this.notice(`Process ${pid ?? 'unknown'} is reading this repository; waiting for it.`);
      },
    });
    try {
      return await task();
    } finally {
      await release?.();
    }
  }

  /** A snapshot that cannot be used is looked at again once the lock is held; that is told once. */
  private notice(text: string): void {
    if (!this.told.has(text)) this.hooks.onNotice?.(text);
    this.told.add(text);
  }

  private async restore(): Promise<ReadMemory | undefined> {
    if (!existsSync(this.file)) return undefined;
    try {
      return await restoreSnapshot(this.file, this.engine, this.planned.model, this.identity);
    } catch (error) {
      if (!isLocretError(error, 'snapshot-corrupt') && !isLocretError(error, 'snapshot-foreign')) throw error;
      this.notice(`${error.message} ${error.remedy}`);
      return undefined;
    }
  }

  private async read(signal: AbortSignal | undefined): Promise<ReadMemory> {
    const { root, model, plan } = this.planned;
    const options = this.settings.survey;
    const survey = this.survey ?? (await surveyRepository(root, options, surveyHooks(this.hooks, signal)));
    this.survey = undefined;
    const memory = await readRepository({
      engine: this.engine,
      model,
      survey,
      options,
      local: plan.local,
      onProgress: this.hooks.onProgress,
      signal,
    });
    await this.save(memory);
    return memory;
  }

  private async updated(memory: ReadMemory, signal: AbortSignal | undefined): Promise<ReadMemory> {
    const { onProgress } = this.hooks;
    try {
      const updated = await updateMemory({ memory, onProgress, signal });
      if (updated === undefined) {
        this.notice('So much has changed that the repository is read anew.');
        return await this.read(signal);
      }
      if (updated !== memory) await this.save(updated);
      return updated;
    } catch (error) {
      // The cache is part old, part new: whoever goes on asking gets the old one back.
      if (isLocretError(error, 'engine-failed') || (await this.restore()) !== undefined) throw error;
      throw new LocretError(
        'engine-failed',
        `The update did not end: ${messageOf(error)} The memory before it has no snapshot to return to.`,
        'Open the repository again.',
        { cause: error },
      );
    }
  }

  /** A memory that cannot be saved can still be asked. */
  private async save(memory: ReadMemory): Promise<void> {
    try {
      await saveSnapshot(this.file, memory, this.identity);
    } catch (error) {
      if (isLocretError(error, 'engine-failed')) throw error;
      this.notice(isLocretError(error) ? `${error.message} ${error.remedy}` : messageOf(error));
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
 * Opens the memory of a repository: from its snapshot if there is one, otherwise by reading it. A snapshot that is
 * damaged or belongs to something else is named and the repository is read again. Of several processes that want the
 * same memory one reads and the others wait for its snapshot.
 *
 * @param open.fresh read even when there is a snapshot
 * @param open.update fold in what changed since the snapshot
 * @throws LocretError everything that {@link planModel}, the survey, reading and the engine throw; the engine is disposed
 */
export async function openMemory(
  settings: MemorySettings,
  open: { readonly fresh?: boolean; readonly update?: boolean } = {},
  hooks: MemoryHooks = {},
): Promise<OpenedMemory> {
  const planned = await planModel(settings);
  for (const notice of planned.plan.notices) hooks.onNotice?.(notice);
  const { fresh = false, update = false } = open;
  const { signal } = hooks;
  const hasSnapshot = existsSync(snapshotFile(settings.cacheFolder, { ...planned, options: settings.survey }));
  // Surveyed before the model is loaded: nobody should wait for a model to be told that there is nothing to read.
  const survey =
    fresh || !hasSnapshot
      ? await surveyRepository(planned.root, settings.survey, surveyHooks(hooks, signal))
      : undefined;
  const engine = await loadEngine(planned, settings.cacheFolder, (notice) => hooks.onNotice?.(notice));
  try {
    throwIfCancelled(signal, 'Loading the model');
    const opening = new MemoryOpening(planned, engine, settings, hooks, survey);
    const memory = await opening.open(fresh, update);
    return { ...planned, engine, memory, update: (held, stop) => opening.update(held, stop) };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
