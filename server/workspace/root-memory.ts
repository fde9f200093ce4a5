import path from 'node:path';
import type { Answer } from '../answer/answer.js';
import { isLocretError, LocretError, messageOf, throwIfCancelled } from '../errors.js';
import { MemoryFiles } from '../memory/keeping/memory-files.js';
import { MemoryOpening, type MemoryHooks, type MemorySettings, type OpenHow } from '../memory/open-memory.js';
import { planModel, type PlannedModel } from '../memory/planning/planned-model.js';
import type { ReadMemory } from '../memory/contents/repository-memory.js';
import type { ReadProgress, RootStatus, RootUri } from '../contract/protocol.js';
import { surveyRepository } from '../repository/survey.js';
import { abortable } from './abortable.js';
import { AutoUpdate } from './auto-update.js';
import { FolderPaths } from './folder-paths.js';
import { MemoryState, type Activity, type HeldMemory } from './memory-state.js';
import type { Operation } from './operation-queue.js';
import { askRoot, type AskedRoot, type QuestionCall, type RootQuestion } from './root-questions.js';
import { memorySettings } from './settings.js';
import type { Surroundings } from './surroundings.js';

/** Something under way that can be waited for, and ended. */
interface Running {
  readonly done: Promise<void>;
  readonly stop: AbortController;
}

/** How a root is read. */
export interface Reading {
  /** Everything again, even if there is a snapshot. */
  readonly fresh?: boolean;
  /** Rather go on with a reading that was interrupted than take the snapshot before it. */
  readonly resume?: boolean;
}

/**
 * Where a memory comes from: its snapshot, or reading; `resume`: rather from a reading that was interrupted than from the
 * snapshot before it.
 */
type Source = 'stored' | 'fresh' | 'resume';

/**
 * The memory of one workspace folder: opened when it is first needed, kept up to date, asked. Everything that needs the
 * engine goes through the workspace's queue.
 */
export class RootMemory implements AskedRoot {
  readonly name: string;
  readonly state: MemoryState;
  /** Everybody who needs the memory waits for the same opening. */
  private opening: Running | undefined;
  private updating: Running | undefined;
  private readonly autoUpdate: AutoUpdate;
  private readonly paths: FolderPaths;

  constructor(
    readonly uri: RootUri,
    /** Absolute. */
    readonly folder: string,
    private readonly surroundings: Surroundings,
  ) {
    const base = path.basename(folder);
    this.name = base === '' ? folder : base;
    this.state = new MemoryState(surroundings.onChange);
    this.paths = new FolderPaths(folder);
    this.autoUpdate = new AutoUpdate(
      this,
      () => surroundings.settings().autoUpdateSeconds,
      (error) => {
        if (!isLocretError(error, 'cancelled')) surroundings.log(`${this.name}: ${messageOf(error)}`);
      },
    );
  }

  get status(): RootStatus {
    return { root: this.uri, name: this.name, ...this.state.status(this.surroundings.engine.current !== undefined) };
  }

  /** How far a reading or an update is that is under way. */
  get progress(): ReadProgress | undefined {
    return this.state.moving;
  }

  onLeave(): void {
    this.surroundings.onChange();
  }

  /** Looks for a snapshot, or for a reading that was interrupted. Nothing is loaded. */
  async inspect(): Promise<void> {
    await this.paths.resolveLinks();
    const { planned, settings } = await this.plan();
    const files = new MemoryFiles(planned, settings);
    this.state.found(files.hasSnapshot, files.partialProgress());
  }

  /** What reading this root takes. @throws LocretError what planning throws */
  async plan(): Promise<{ readonly planned: PlannedModel; readonly settings: MemorySettings }> {
    const settings = await memorySettings(this.surroundings.settings(), this.folder);
    return { planned: await this.surroundings.engine.plan(settings), settings };
  }

  /** What reading this root with another model, and its own heads, would take. @throws LocretError what planning throws */
  async planWith(model: string): Promise<PlannedModel> {
    return planModel(await memorySettings({ ...this.surroundings.settings(), model, heads: undefined }, this.folder));
  }

  /**
   * Opens the memory: restores its snapshot, goes on with a reading that was interrupted, or reads the repository.
   * Cancelling ends the waiting, not the opening: {@link stopReading} does that.
   *
   * @throws LocretError what opening throws; cancelled
   */
  async open({ fresh = false, resume = false }: Reading = {}, signal?: AbortSignal): Promise<void> {
    if (this.opening === undefined) {
      if (!fresh && this.isOpen) return;
      const source = fresh ? 'fresh' : resume || this.state.paused !== undefined ? 'resume' : 'stored';
      const stop = new AbortController();
      const task = async (ends: AbortSignal): Promise<void> => {
        await this.openNow(source, ends);
      };
      const done = this.run({ name: 'Reading the repository', signal: stop.signal, task }).finally(() => {
        this.opening = undefined;
      });
      // Whoever waits gets the error; perhaps nobody waits any more.
      done.catch(() => undefined);
      this.opening = { done, stop };
    }
    await abortable(this.opening.done, signal, 'Waiting for the repository to be read');
  }

  /** As {@link open}; cancelling pauses the reading. */
  async read(how: Reading, signal: AbortSignal): Promise<void> {
    throwIfCancelled(signal, 'Reading the repository');
    const stop = (): void => void this.stopReading(true);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.open(how);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Ends a reading or an update that is under way, and waits until it has ended.
   * @param keep whether reading can go on later where it was
   */
  async stopReading(keep: boolean): Promise<void> {
    const running = [this.opening, this.updating].filter((some) => some !== undefined);
    for (const { stop } of running) stop.abort();
    await Promise.allSettled(running.map(({ done }) => done));
    if (keep) return;
    const { planned, settings } = await this.plan();
    await new MemoryFiles(planned, settings).dropPartial();
    this.state.dropped();
  }

  /** Looks at all files and folds the changed ones in. @throws LocretError cancelled, what updating throws */
  async update(signal: AbortSignal | undefined): Promise<void> {
    if (!this.isOpen) await this.open({}, signal);
    this.state.held?.memory.disk.touchAll();
    await this.fold({ background: false, signal });
  }

  async updateInBackground(): Promise<void> {
    // A memory that waits in its snapshot is brought up to date when it is next asked.
    if (this.state.held === undefined || !this.surroundings.engine.isHeldBy(this)) return;
    await this.fold({ background: true, signal: undefined });
  }

  async checkChanges(): Promise<number | undefined> {
    const memory = this.state.held?.memory;
    if (memory === undefined) return 0;
    if (!this.state.isIdle) return undefined;
    const before = memory.coverage().changed.length;
    const changed = (await memory.detectChanges()).length;
    if (changed !== before) this.surroundings.onChange();
    return changed;
  }

  /** A file or folder may have changed on disk. @param file absolute; of no concern where it is not below this root */
  touch(file: string): void {
    const { held } = this.state;
    const place = this.paths.pathOf(file);
    if (held === undefined || place === undefined) return;
    held.memory.disk.touch(place);
    this.autoUpdate.touch();
  }

  /** From now on every change on disk is told by {@link touch}. */
  watch(): void {
    this.state.held?.memory.disk.watch();
  }

  /**
   * Answers a question, after opening the memory where it is not open.
   * @throws LocretError what {@link open} and asking a memory throw; cancelled
   */
  async ask(asked: RootQuestion, call: QuestionCall): Promise<Answer> {
    const answer = await askRoot(this, this.surroundings, asked, call);
    if (answer.coverage.changed.length > 0) this.autoUpdate.touch();
    return answer;
  }

  /**
   * The memory, for what is told of it without the engine.
   * @throws LocretError not-read
   */
  get contents(): ReadMemory {
    if (this.state.held !== undefined) return this.state.held.memory;
    throw new LocretError('not-read', `${this.name} has not been read in this session.`, 'Read the repository first.');
  }

  /** Forgets everything that was loaded: the settings lead to another memory now. */
  async reset(): Promise<void> {
    await this.stopReading(true);
    this.state.forget();
  }

  /** Ends what is under way, keeping what was read. */
  async close(): Promise<void> {
    this.autoUpdate.close();
    await this.stopReading(true);
  }

  /** True when a question can be answered without reading: at most a snapshot has to be restored. */
  get isOpen(): boolean {
    return this.state.held !== undefined && (this.surroundings.engine.isHeldBy(this) || this.state.hasSnapshot);
  }

  /** Runs an operation on the engine. One that failed is of no use any more: the next operation loads it anew. */
  run<Result>(operation: Operation<Result>): Promise<Result> {
    return this.surroundings.queue.run({
      ...operation,
      task: async (signal) => {
        try {
          return await operation.task(signal);
        } catch (error) {
          if (isLocretError(error, 'engine-failed')) await this.surroundings.engine.unload().catch(() => undefined);
          throw error;
        }
      },
    });
  }

  /** Loads the model where it is not loaded, and opens the memory in it. */
  private openNow(source: Source, signal: AbortSignal): Promise<ReadMemory> {
    return this.state.doing('loading', async () => {
      this.state.beginAnew();
      const how: OpenHow = { fresh: source === 'fresh', resume: source === 'resume' };
      let files: MemoryFiles | undefined;
      try {
        const { planned, settings } = await this.plan();
        files = new MemoryFiles(planned, settings);
        // Nobody should wait for a model to be told that there is nothing to read.
        for (const notice of planned.plan.notices) this.notice(notice);
        const reads = source === 'fresh' || !files.hasSnapshot || (source === 'resume' && files.hasPartial);
        const { onFile } = this.surroundings;
        const survey = reads ? await surveyRepository(planned.root, settings.survey, { signal, onFile }) : undefined;
        const { engine } = await this.surroundings.engine.load(settings, this.notice);
        throwIfCancelled(signal, 'Loading the model');
        this.surroundings.engine.give(this);
        const opening = new MemoryOpening(planned, engine, settings);
        return await this.hold(await opening.open({ ...how, survey }, this.hooks(signal, 'reading')), opening);
      } catch (error) {
        this.letGo();
        this.state.ended(error, files?.partialProgress());
        throw error;
      }
    });
  }

  /** The memory in the engine: restored where another root's was there. */
  async inEngine(signal: AbortSignal): Promise<HeldMemory> {
    if (this.state.held !== undefined && this.surroundings.engine.isHeldBy(this)) return this.state.held;
    await this.openNow('stored', signal);
    if (this.state.held !== undefined) return this.state.held;
    throw new LocretError('engine-failed', `The memory of ${this.name} was let go while it was opened.`, 'Try again.');
  }

  private async hold(memory: ReadMemory, opening: MemoryOpening): Promise<ReadMemory> {
    const { length } = await memory.engine.stats();
    if (this.surroundings.isWatched()) memory.disk.watch();
    this.state.opened({ memory, opening, units: length, budget: memory.engine.description.plan.budget });
    return memory;
  }

  /** The engine's cache holds nothing whole any more: whoever needs this memory next restores it. */
  private letGo(): void {
    if (this.surroundings.engine.isHeldBy(this)) this.surroundings.engine.give(undefined);
  }

  private async fold(how: { readonly background: boolean; readonly signal: AbortSignal | undefined }): Promise<void> {
    const { background, signal } = how;
    const stop = new AbortController();
    const end = (): void => {
      stop.abort();
    };
    signal?.addEventListener('abort', end, { once: true });
    const task = (ends: AbortSignal): Promise<void> => this.foldNow(stop.signal, ends);
    const done = this.run({ name: 'Updating', background, signal: stop.signal, task });
    this.updating = { done, stop };
    try {
      await done;
    } finally {
      signal?.removeEventListener('abort', end);
      this.updating = undefined;
    }
  }

  /**
   * @param stop ends the update. Somebody who wants to ask does not: folding in takes seconds, and the answer is better
   * @param ends ends reading anew, where that is better: it can take long, and the memory before can be asked
   */
  private async foldNow(stop: AbortSignal, ends: AbortSignal): Promise<void> {
    const { memory, opening } = await this.inEngine(stop);
    const updated = await this.state.doing('updating', async () => {
      try {
        return await opening.update(memory, this.hooks(stop, 'updating'));
      } catch (error) {
        if (isLocretError(error, 'engine-failed')) this.letGo();
        throw error;
      }
    });
    // An interrupted reading is a newer one: the memory before was restored to be asked meanwhile.
    if (updated === undefined) {
      this.notice('So much has changed that the repository is read anew.');
      await this.openNow(opening.partialProgress() === undefined ? 'fresh' : 'resume', ends);
    } else if (updated !== memory) {
      await this.hold(updated, opening);
    }
  }

  private hooks(signal: AbortSignal, activity: Activity): MemoryHooks {
    return {
      signal,
      onNotice: this.notice,
      onFile: this.surroundings.onFile,
      onProgress: (progress) => {
        this.state.reached(activity, progress);
      },
    };
  }

  /** Tells the user something about this memory. */
  readonly notice = (text: string): void => {
    this.surroundings.onNotice(this.name, text);
    this.state.notice(text);
  };
}
