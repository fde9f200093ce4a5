import type { Keeper, ReadPart } from './partial-reading.js';
import type { ProgressMeter } from './progress-meter.js';
import type { ReadTable } from './read-table.js';

/** Hands what was read to a keeper: now and then on the way, and when reading is interrupted. */
export class ReadingSaver {
  /** One past the last token that the engine has read, and that was kept. */
  private reached: number;
  private kept: number;

  /** @param firstTokenIndex of what is read now */
  constructor(
    private readonly keeper: Keeper<ReadPart> | undefined,
    private readonly table: ReadTable,
    private readonly meter: ProgressMeter,
    firstTokenIndex: number,
  ) {
    this.reached = firstTokenIndex;
    this.kept = firstTokenIndex;
  }

  /** The engine has read a chunk, up to this token. */
  reach(end: number): void {
    this.reached = end;
  }

  /** Called while the engine rests at the end of a chunk. */
  async keepWhenDue(): Promise<void> {
    if (this.keeper?.isDue() === true) await this.keep();
  }

  async keep(): Promise<void> {
    if (this.keeper === undefined || this.reached === this.kept) return;
    this.kept = this.reached;
    await this.keeper.keep(this.table.partUntil(this.reached), this.meter.progress());
  }
}
