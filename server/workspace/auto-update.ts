/** Milliseconds without a further change before the files are looked at. */
const quietMilliseconds = 500;
/** While changes keep coming, the files are looked at this often all the same. */
const longestWaitMilliseconds = 5_000;

/** What is kept up to date. */
export interface Updatable {
  /** Compares the files with what was read; the number of files that changed, undefined while that cannot be told. */
  checkChanges(): Promise<number | undefined>;
  /** Folds the changed files in when the engine is free. */
  updateInBackground(): Promise<void>;
}

/**
 * Keeps a memory up to date: changes on disk are noticed soon, and folded in when there has been a pause. Bursts of
 * changes (a branch switch, a build) are looked at once.
 */
export class AutoUpdate {
  private checkTimer: NodeJS.Timeout | undefined;
  private updateTimer: NodeJS.Timeout | undefined;
  /** When the first change came that was not looked at. */
  private waitingSince: number | undefined;
  private closed = false;

  /**
   * @param pauseSeconds seconds without changes before they are folded in; 0: never by itself
   * @param onFailure told what went wrong; the next change tries again
   */
  constructor(
    private readonly target: Updatable,
    private readonly pauseSeconds: () => number,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Something changed, perhaps. */
  touch(): void {
    if (this.closed) return;
    const now = performance.now();
    this.waitingSince ??= now;
    const left = this.waitingSince + longestWaitMilliseconds - now;
    clearTimeout(this.checkTimer);
    clearTimeout(this.updateTimer);
    this.checkTimer = setTimeout(() => void this.check(), Math.max(0, Math.min(quietMilliseconds, left)));
  }

  /** Nothing is looked at or folded in from now on. */
  close(): void {
    this.closed = true;
    clearTimeout(this.checkTimer);
    clearTimeout(this.updateTimer);
  }

  private async check(): Promise<void> {
    this.waitingSince = undefined;
    try {
      const changed = await this.target.checkChanges();
      if (changed === undefined) {
        // What changed while the memory was read or updated may have come too late for that.
        this.touch();
        return;
      }
      const pause = this.pauseSeconds();
      if (this.closed || changed === 0 || pause === 0) return;
      clearTimeout(this.updateTimer);
      this.updateTimer = setTimeout(() => void this.update(), pause * 1000);
    } catch (error) {
      this.onFailure(error);
    }
  }

  private async update(): Promise<void> {
    if (this.closed) return;
    try {
      await this.target.updateInBackground();
    } catch (error) {
      this.onFailure(error);
    }
  }
}
