const leastMilliseconds = 100;

/** Sends what changes all the time at most every tenth of a second, and always its last state. */
export class PacedSender {
  private timer: NodeJS.Timeout | undefined;
  private lastSent = -Infinity;

  /** @param send sends the state as it is then */
  constructor(private readonly send: () => void) {}

  /** Something may have changed. */
  changed(): void {
    if (this.timer !== undefined) return;
    const left = this.lastSent + leastMilliseconds - performance.now();
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.lastSent = performance.now();
        this.send();
      },
      Math.max(0, left),
    );
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
