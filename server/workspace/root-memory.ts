import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Answer } from '../answer/answer.js';
import { questionTextOf } from '../answer/question.js';
import { askMemory } from '../answer/ask.js';
import { isLocretError, LocretError, messageOf, throwIfCancelled } from '../errors.js';
import { MemoryFiles } from '../memory/keeping/memory-files.js';
import { MemoryOpening, type MemoryHooks, type MemorySettings, type OpenHow } from '../memory/open-memory.js';
import { planModel, type PlannedModel } from '../memory/planning/planned-model.js';
import type { ReadMemory } from '../memory/contents/repository-memory.js';
import type { RootStatus, RootUri } from '../contract/protocol.js';
import { surveyRepository } from '../repository/survey.js';
import { abortable } from './abortable.js';
import { AutoUpdate } from './auto-update.js';
import { MemoryState, type Activity, type HeldMemory } from './memory-state.js';
import type { Operation, OperationQueue } from './operation-queue.js';
import { putAside } from './put-aside.js';
import { answerDeep, questionOf, type QuestionCall, type RootQuestion } from './root-questions.js';
import { memorySettings, type ChosenSettings } from './settings.js';
import type { Occupant, SharedEngine } from './shared-engine.js';

/** What the roots of a workspace share. */
export interface Surroundings {
  readonly engine: SharedEngine;
  readonly queue: OperationQueue;
  readonly settings: () => ChosenSettings;
  /** Whether every change on disk is told by {@link RootMemory.touch}. */
  readonly isWatched: () => boolean;
  /** Called whenever the status of a root may have changed. */
  readonly onChange: () => void;
  /** Told what is worth a line in the log. */
  readonly log: (text: string) => void;
  /** Told what the user should know about a root's memory, as soon as it is known. */
  readonly onNotice: (root: RootMemory, notice: string) => void;
  /** Called while a root's files are found, with how many were looked at. */
  readonly onFile: (filesSeen: number) => void;
}

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
export class RootMemory implements Occupant {
  readonly name: string;
  private readonly state: MemoryState;
  /** Everybody who needs the memory waits for the same opening. */
  private opening: Running | undefined;
  private updating: Running | undefined;
  private readonly autoUpdate: AutoUpdate;
  /** The folder, links resolved: files may be named by either. */
  private realFolder: string | undefined;

  constructor(
    readonly uri: RootUri,
    /** Absolute. */
    readonly folder: string,
    private readonly surroundings: Surroundings,
  ) {
    const base = path.basename(folder);
    this.name = base === '' ? folder : base;
    this.state = new MemoryState(surroundings.onChange);
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

  onLeave(): void {
    this.surroundings.onChange();
  }

  /** Looks for a snapshot, or for a reading that was interrupted. Nothing is loaded. */
  async inspect(): Promise<void> {
    this.realFolder = await realpath(this.folder).catch(() => undefined);
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
    const held = this.state.held;
    if (held === undefined) return;
    const inFolders = [this.folder, this.realFolder ?? this.folder].map((folder) => pathBelow(folder, file));
    const [place] = inFolders.filter((found) => found !== undefined);
    if (place === undefined) return;
    held.memory.disk.touch(place);
    this.autoUpdate.touch();
  }

  /** From now on every change on disk is told by {@link touch}. */
  watch(): void {
    this.state.held?.memory.disk.watch();
  }

  /**
   * Answers a question, after opening the memory where it is not open.
   * @throws LocretError what {@link open}, {@link askMemory} and {@link askDeep} throw; cancelled
   */
  async ask(asked: RootQuestion, { onPartial, signal }: QuestionCall): Promise<Answer> {
    questionTextOf(asked);
    const { queue } = this.surroundings;
    if (asked.mode !== 'deep' && !this.isOpen) {
      onPartial({ kind: 'phase', phase: 'opening' });
      await this.open({}, signal);
    }
    if (queue.isBusy) onPartial({ kind: 'phase', phase: 'waiting' });
    const answer = await this.run({
      name: 'The question',
      signal,
      task: (ends) => {
        const call = { onPartial, signal: ends };
        return this.state.answering(() =>
          asked.mode === 'deep' ? this.answerDeep(asked, call) : this.answerFromMemory(asked, call),
        );
      },
    });
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
  private get isOpen(): boolean {
    return this.state.held !== undefined && (this.surroundings.engine.isHeldBy(this) || this.state.hasSnapshot);
  }

  /** Runs an operation on the engine. One that failed is of no use any more: the next operation loads it anew. */
  private run<Result>(operation: Operation<Result>): Promise<Result> {
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
  private async inEngine(signal: AbortSignal): Promise<HeldMemory> {
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
    if (updated === undefined) await this.openNow(opening.partialProgress() === undefined ? 'fresh' : 'resume', ends);
    else if (updated !== memory) await this.hold(updated, opening);
  }

  private async answerFromMemory(asked: RootQuestion, call: QuestionCall): Promise<Answer> {
    const { memory } = await this.inEngine(call.signal);
    call.onPartial({ kind: 'phase', phase: 'answering' });
    return askMemory(memory, questionOf(asked, this.surroundings.settings(), call));
  }

  private async answerDeep(asked: RootQuestion, call: QuestionCall): Promise<Answer> {
    const { planned, settings } = await this.plan();
    const { engine, settings: chosen, onFile } = this.surroundings;
    if (engine.current === undefined) for (const notice of planned.plan.notices) this.notice(notice);
    const loaded = await engine.load(settings, this.notice);
    // Otherwise the memory comes back from its snapshot when it is next needed.
    const putBack = engine.isHeldBy(this) && !this.state.hasSnapshot ? await putAside(loaded.engine) : undefined;
    return answerDeep({
      loaded,
      options: settings.survey,
      question: questionOf(asked, chosen(), call),
      call,
      onFile,
      onEmptied: () => {
        engine.give(undefined);
      },
      restore:
        putBack &&
        (async () => {
          await putBack();
          engine.give(this);
        }),
    });
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

  private readonly notice = (text: string): void => {
    this.surroundings.onNotice(this, text);
    this.state.notice(text);
  };
}

/** A path relative to a folder, with forward slashes; empty for the folder itself, undefined outside of it. */
function pathBelow(folder: string, file: string): string | undefined {
  const steps = path.relative(folder, file).split(path.sep);
  return steps[0] === '..' || path.isAbsolute(steps.join(path.sep)) ? undefined : steps.join('/');
}
