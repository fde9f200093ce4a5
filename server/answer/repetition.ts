/** The longest stretch of tokens that is looked for as repeated. */
const longestPeriod = 48;
/** A stretch counts as a loop when it stands this many times in a row … */
const leastRepeats = 4;
/** … and all of that is at least this long: a ruled line or a short list of equal numbers is no loop. */
const leastLength = 32;

/** Notices when generated tokens do nothing but repeat themselves, as small models do when they are lost. */
export class RepetitionWatch {
  private readonly tokens: number[] = [];
  private loop = false;

  /** True once the text has become a loop. */
  get looped(): boolean {
    return this.loop;
  }

  push(token: number): void {
    this.tokens.push(token);
    this.loop ||= this.endsInLoop();
  }

  private endsInLoop(): boolean {
    for (let period = 1; period <= longestPeriod; period++) {
      const length = Math.max(leastLength, leastRepeats * period);
      if (length > this.tokens.length) return false;
      if (this.repeats(period, length)) return true;
    }
    return false;
  }

  /** Whether each of the last `length` tokens equals the one `period` before it. */
  private repeats(period: number, length: number): boolean {
    const { tokens } = this;
    for (let at = tokens.length - 1; at >= tokens.length - length + period; at--) {
      if (tokens[at] !== tokens[at - period]) return false;
    }
    return true;
  }
}
