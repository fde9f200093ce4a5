/**
 * Where the units of one layer's KV heads lie in its arrays: a region for each head, one behind the other, filled from its
 * beginning. Counted in units.
 */
export class HeadRegions {
  /** Units in each region. */
  readonly lengths: Int32Array;
  private readonly begins: Int32Array;
  private readonly capacities: Int32Array;

  /** Regions of the same size. */
  constructor(
    private readonly kvHeads: number,
    private readonly unitsPerHead: number,
  ) {
    this.lengths = new Int32Array(kvHeads);
    this.begins = Int32Array.from({ length: kvHeads }, (_, kvHead) => kvHead * unitsPerHead);
    this.capacities = new Int32Array(kvHeads).fill(unitsPerHead);
  }

  /** Units of all regions together. */
  get units(): number {
    return this.kvHeads * this.unitsPerHead;
  }

  /** Units that every head still has room for. */
  get room(): number {
    let least = Infinity;
    for (let kvHead = 0; kvHead < this.kvHeads; kvHead++)
      least = Math.min(least, this.capacity(kvHead) - this.length(kvHead));
    return least;
  }

  begin(kvHead: number): number {
    return this.begins[kvHead] ?? 0;
  }

  capacity(kvHead: number): number {
    return this.capacities[kvHead] ?? 0;
  }

  length(kvHead: number): number {
    return this.lengths[kvHead] ?? 0;
  }

  /**
   * Gives every head equally much room behind its units.
   * @param move moves a head's units within the arrays
   */
  arrange(move: (from: number, to: number, units: number) => void): void {
    const { kvHeads, begins, capacities } = this;
    const held = this.lengths.reduce((sum, length) => sum + length, 0);
    const room = Math.floor((this.units - held) / kvHeads);
    const next = new Int32Array(kvHeads);
    for (let kvHead = 1; kvHead < kvHeads; kvHead++)
      next[kvHead] = (next[kvHead - 1] ?? 0) + this.length(kvHead - 1) + room;
    const place = (kvHead: number): void => {
      move(this.begin(kvHead), next[kvHead] ?? 0, this.length(kvHead));
    };
    // Regions keep their order, so whoever moves down from the first on, then up from the last on, overwrites nobody.
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) if ((next[kvHead] ?? 0) < this.begin(kvHead)) place(kvHead);
    for (let kvHead = kvHeads - 1; kvHead >= 0; kvHead--) if ((next[kvHead] ?? 0) > this.begin(kvHead)) place(kvHead);
    begins.set(next);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) capacities[kvHead] = this.length(kvHead) + room;
  }
}
