import type { ReadProgress } from '../contract/roots.js';
import { isLocretError, LocretError, messageOf } from '../errors.js';
import type { MemoryOpening } from '../memory/open-memory.js';
import type { ReadMemory } from '../memory/contents/repository-memory.js';
import type { MemoryStatus, RootState, RootStatus } from '../contract/protocol.js';

export type Activity = Extract<RootState, 'loading' | 'reading' | 'updating'>;

/** A memory with what is told of it without asking the engine. */
export interface HeldMemory {
  readonly memory: ReadMemory;
  readonly opening: MemoryOpening;
  /** Cache units per KV head, and how many of the repository's a KV head may keep. */
  readonly units: number;
  readonly budget: number;
}

/** What a root's memory is at: what was opened, what is being done to it, how that ended. Tells of every change. */
export class MemoryState {
  private heldMemory: HeldMemory | undefined;
  private activity: Activity | undefined;
  private progress: ReadProgress | undefined;
  private interrupted: ReadProgress | undefined;
  private failure: LocretError | undefined;
  private readonly notices = new Set<string>();
  private answers = 0;
  private snapshot = false;

  constructor(private readonly onChange: () => void) {}

  /** The memory that was last opened in this session; it may wait in its snapshot. */
  get held(): HeldMemory | undefined {
    return this.heldMemory;
  }

  get hasSnapshot(): boolean {
    return this.snapshot;
  }

  /** How far a reading came that can go on. */
  get paused(): ReadProgress | undefined {
    return this.interrupted;
  }

  /** How far what is being done is. */
  get moving(): ReadProgress | undefined {
    return this.activity && this.progress;
  }

  get isIdle(): boolean {
    return this.activity === undefined;
  }

  /** @param isLoaded whether a model is loaded */
  status(isLoaded: boolean): Omit<RootStatus, 'root' | 'name'> {
    const { heldMemory: held, failure, activity } = this;
    const progress = activity === undefined ? this.interrupted : this.progress;
    return {
      state: this.stateOf(isLoaded),
      snapshot: this.snapshot,
      answering: this.answers > 0,
      notices: [...this.notices],
      progress,
      memory: held && memoryStatus(held),
      error: failure && { code: failure.code, message: failure.message, remedy: failure.remedy },
    };
  }

  /** What was found on disk before anything was opened. */
  found(hasSnapshot: boolean, partial: ReadProgress | undefined): void {
    this.snapshot = hasSnapshot;
    // An interrupted reading beside a snapshot is a newer one of it: the snapshot can be asked.
    if (this.heldMemory === undefined && !hasSnapshot) this.interrupted = partial;
    this.onChange();
  }

  /** Shows what is being done to the memory while a task runs. */
  async doing<Result>(activity: Activity, task: () => Promise<Result>): Promise<Result> {
    this.activity = activity;
    this.progress = undefined;
    this.onChange();
    try {
      return await task();
    } finally {
      this.activity = undefined;
      this.onChange();
    }
  }

  /** Counts a question while it is answered. */
  async answering<Result>(task: () => Promise<Result>): Promise<Result> {
    this.answers += 1;
    this.onChange();
    try {
      return await task();
    } finally {
      this.answers -= 1;
      this.onChange();
    }
  }

  /** How far a reading or an update is. */
  reached(activity: Activity, progress: ReadProgress): void {
    this.activity = activity;
    this.progress = progress;
    this.onChange();
  }

  /** What was said and went wrong before does not count for what begins now. */
  beginAnew(): void {
    this.failure = undefined;
    this.notices.clear();
  }

  notice(text: string): void {
    this.notices.add(text);
    this.onChange();
  }

  opened(held: HeldMemory): void {
    this.heldMemory = held;
    this.snapshot = held.opening.hasSnapshot;
    this.interrupted = undefined;
    this.onChange();
  }

  /** A reading ended before its end. @param kept how far it came, where it can go on */
  ended(error: unknown, kept: ReadProgress | undefined): void {
    if (isLocretError(error, 'cancelled')) this.interrupted = kept;
    else this.failure = foreseen(error);
  }

  /** What an interrupted reading had kept is gone. */
  dropped(): void {
    this.interrupted = undefined;
    this.onChange();
  }

  /** The settings lead to another memory now. */
  forget(): void {
    this.heldMemory = undefined;
    this.interrupted = undefined;
    this.snapshot = false;
    this.beginAnew();
    this.onChange();
  }

  private stateOf(isLoaded: boolean): RootState {
    if (this.activity !== undefined) return this.activity;
    if (this.interrupted !== undefined) return 'paused';
    if (this.failure !== undefined) return 'failed';
    return this.heldMemory !== undefined && isLoaded ? 'ready' : 'idle';
  }
}

function foreseen(error: unknown): LocretError {
  if (isLocretError(error)) return error;
  const remedy = 'Restart the sidecar; if it happens again, report it with the log.';
  return new LocretError('engine-failed', `Unexpected error: ${messageOf(error)}`, remedy, { cause: error });
}

function memoryStatus({ memory, units, budget }: HeldMemory): MemoryStatus {
  const { filesRead, tokensRead, skipped, changed } = memory.coverage();
  const { source, made } = memory;
  return { filesRead, tokensRead, skipped: skipped.length, changed: changed.length, units, budget, source, made };
}
