/** How a sidecar's process ended without being asked to. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines it wrote to its outputs. */
  readonly lastOutput: readonly string[];
  /** True when it was loading a model or reading, as last told: then it held much memory, and was about to take more. */
  readonly busy: boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly at: number;
}

/** What to do about an end. `outOfMemory`: it had no memory left, or was ended because of what it took. */
export interface Verdict {
  readonly action: 'restart' | 'stop';
  readonly outOfMemory: boolean;
}

/** A second crash within this time stops the sidecar. */
const crashWindow = 60_000;
/** Aborted: so ends a program whose allocator, or V8, finds no memory. 128 + SIGABRT where a shell stands between. */
const abortCode = 134;
/** Ended by the system with SIGKILL, as its out-of-memory killer does. */
const killCode = 137;
const outOfMemoryText = /ERR_WORKER_OUT_OF_MEMORY|heap out of memory|std::bad_alloc|Cannot allocate memory/;

/** True when a process ended for want of memory. */
export function ranOutOfMemory(end: ProcessEnd): boolean {
  const killed = end.signal === 'SIGKILL' || end.exitCode === killCode;
  const aborted = end.signal === 'SIGABRT' || end.exitCode === abortCode;
  return aborted || (killed && end.busy) || end.lastOutput.some((line) => outOfMemoryText.test(line));
}

/**
 * Whether the sidecar is started again after it ended by itself. A crash is answered by one restart; a second one within a
 * minute stops it. Running out of memory is answered by a restart once, however much later it happens again: what filled
 * the memory would fill it again.
 */
export class CrashPolicy {
  private lastEnd = -Infinity;
  private wasOutOfMemory = false;

  judge(end: ProcessEnd): Verdict {
    const outOfMemory = ranOutOfMemory(end);
    const stop = end.at - this.lastEnd < crashWindow || (outOfMemory && this.wasOutOfMemory);
    this.lastEnd = end.at;
    this.wasOutOfMemory ||= outOfMemory;
    return { action: stop ? 'stop' : 'restart', outOfMemory };
  }

  /** Forgets what happened: the user has asked for a new start. */
  forget(): void {
    this.lastEnd = -Infinity;
    this.wasOutOfMemory = false;
  }
}
