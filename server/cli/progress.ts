import type { ReadProgress } from '../contract/roots.js';
import { formatCount, formatSeconds } from '../quantities.js';

const barWidth = 24;
const redrawMilliseconds = 100;
const lineMilliseconds = 5_000;

/** One line about a read: bar, share, files, tokens, speed, time left. */
export function progressLine(progress: ReadProgress): string {
  const share = progress.bytes === 0 ? 1 : Math.min(1, progress.bytesRead / progress.bytes);
  const filled = Math.round(share * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  const left =
    progress.secondsLeft === undefined || share === 1 ? '' : ` · ${formatSeconds(progress.secondsLeft)} left`;
  return (
    `Reading ${bar} ${String(Math.floor(share * 100)).padStart(3)} %` +
    ` · ${formatCount(progress.filesRead)}/${formatCount(progress.files)} files` +
    ` · ${formatCount(progress.tokensRead)} tokens · ${formatCount(Math.round(progress.tokensPerSecond))} tokens/s${left}`
  );
}

/** A terminal, or a stream of lines. */
interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows a read's progress: a bar that is redrawn on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  private lastDrawn = -Infinity;
  private drawn = false;
  private finished = false;

  constructor(private readonly output: ProgressOutput = process.stderr) {
    // A bar is there at once; a line is worth its place only when there is something to wait for.
    if (output.isTTY !== true) this.lastDrawn = performance.now();
  }

  show(progress: ReadProgress): void {
    const finished = progress.filesRead === progress.files && progress.bytesRead >= progress.bytes;
    if (finished ? this.finished : !this.isDue()) return;
    this.finished = finished;
    this.draw(progressLine(progress));
  }

  /** Shows that the repository's files are being found. */
  showSurvey(filesSeen: number): void {
    if (this.isDue()) this.draw(`Looking at the files: ${formatCount(filesSeen)} …`);
  }

  private isDue(): boolean {
    return performance.now() - this.lastDrawn >= (this.output.isTTY === true ? redrawMilliseconds : lineMilliseconds);
  }

  private draw(line: string): void {
    this.lastDrawn = performance.now();
    if (this.output.isTTY === true) {
      const width = Math.max(20, (this.output.columns ?? 80) - 1);
      this.output.write(`\r\u001b[2K${line.slice(0, width)}`);
      this.drawn = true;
    } else {
      this.output.write(`${line}\n`);
    }
  }

  /** Ends the bar's line, so that what follows starts on a new one. */
  end(): void {
    if (this.drawn) this.output.write('\n');
    this.drawn = false;
  }
}
