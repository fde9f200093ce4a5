/** What takes time in a training. */
type Work = 'step' | 'measurement';

/** Tells how long what is left of a training will take, from what was done of it. */
export class StepClock {
  private readonly spent: Record<Work, { seconds: number; count: number }> = {
    step: { seconds: 0, count: 0 },
    measurement: { seconds: 0, count: 0 },
  };

  /**
   * @param samplesPerMeasurement for the time of measurements before there was one: each takes about as long as a step
   * @param now seconds of a clock that only goes forward
   */
  constructor(
    private readonly samplesPerMeasurement: number,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {}

  /** Does some work and takes its time. */
  async timed<Result>(work: Work, task: () => Promise<Result>): Promise<Result> {
    const begun = this.now();
    const result = await task();
    const spent = this.spent[work];
    spent.seconds += this.now() - begun;
    spent.count += 1;
    return result;
  }

  /** Seconds that so many steps and measurements will take; 0 before the first step. */
  secondsFor(steps: number, measurements: number): number {
    const step = this.mean('step') ?? 0;
    return steps * step + measurements * (this.mean('measurement') ?? this.samplesPerMeasurement * step);
  }

  private mean(work: Work): number | undefined {
    const { seconds, count } = this.spent[work];
    return count === 0 ? undefined : seconds / count;
  }
}
