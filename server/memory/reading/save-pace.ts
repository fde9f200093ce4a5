/** At least this many seconds lie between two saves. */
const leastSeconds = 30;
/** The most of a reading's time that saving may take. */
const mostShare = 0.02;
/** What a disk writes in a second, for the first save; bytes. Later ones are measured. */
const assumedSpeed = 100e6;

/**
 * Says when a reading is saved on its way: often enough that little is lost when the process is killed, and seldom
 * enough that it costs at most 2 % of the time.
 */
export class SavePace {
  private readonly started: number;
  private last: number;
  private spent = 0;
  private expected: number;

  /**
   * @param bytes that a save writes, about
   * @param now seconds of a clock that only goes forward
   */
  constructor(
    bytes: number,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.started = now();
    this.last = this.started;
    this.expected = bytes / assumedSpeed;
  }

  get isDue(): boolean {
    const now = this.now();
    const share = (this.spent + this.expected) / (now - this.started);
    return now - this.last >= leastSeconds && share <= mostShare;
  }

  /** Runs a save and takes its time into account. */
  async timed(save: () => Promise<void>): Promise<void> {
    const begun = this.now();
    await save();
    this.last = this.now();
    this.expected = this.last - begun;
    this.spent += this.expected;
  }
}
