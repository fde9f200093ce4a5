import type { Survey } from '../repository/source.js';
import type { ReadProgress } from './memory.js';

/** Seconds before which a speed says little. */
const settling = 1;

/** Tells how far a read is. Tokenizing runs ahead of the engine; what counts is what the engine has read. */
export class ProgressMeter {
  private readonly started = performance.now();
  private tokensRead = 0;
  private tokenized = { bytes: 0, tokens: 0 };
  /** Tokens up to the end of each file that was tokenized. */
  private readonly fileEnds: number[] = [];
  private filesRead = 0;

  constructor(
    private readonly survey: Survey,
    private readonly onProgress: ((progress: ReadProgress) => void) | undefined,
  ) {}

  segmentTokenized(characters: number, tokens: number): void {
    this.tokenized = { bytes: this.tokenized.bytes + characters, tokens: this.tokenized.tokens + tokens };
  }

  fileTokenized(tokensUntilEnd: number): void {
    this.fileEnds.push(tokensUntilEnd);
  }

  engineRead(tokens: number): void {
    this.tokensRead = tokens;
    while ((this.fileEnds[this.filesRead] ?? Infinity) <= tokens) this.filesRead += 1;
    this.report(this.bytesRead());
  }

  /** Everything was read, also what turned out to be skipped. */
  finish(): void {
    this.filesRead = this.survey.files.length;
    this.report(this.survey.bytes);
  }

  private bytesRead(): number {
    const { bytes, tokens } = this.tokenized;
    const share = tokens === 0 ? 0 : Math.min(1, this.tokensRead / tokens);
    // Characters stand for bytes here; with other scripts than Latin the bar jumps at the end.
    return Math.min(bytes * share, this.survey.bytes);
  }

  private report(bytesRead: number): void {
    if (this.onProgress === undefined) return;
    const seconds = (performance.now() - this.started) / 1000;
    const { files, bytes } = this.survey;
    const known = seconds >= settling && bytesRead > 0;
    this.onProgress({
      filesRead: this.filesRead,
      files: files.length,
      tokensRead: this.tokensRead,
      bytesRead,
      bytes,
      tokensPerSecond: seconds === 0 ? 0 : this.tokensRead / seconds,
      secondsLeft: known ? (seconds * (bytes - bytesRead)) / bytesRead : undefined,
    });
  }
}
