import type { ReadProgress } from '../../contract/roots.js';

/** Seconds before which a speed says little. */
const settling = 1;

/** What is to be read, all in all. */
export interface ReadTotals {
  readonly files: number;
  readonly bytes: number;
}

/** What an earlier session read of it, before the first token that this one tokenizes. */
export interface ReadBefore extends ReadTotals {
  readonly tokens: number;
}

/**
 * Tells how far a read is. Tokenizing runs ahead of the engine; what counts is what the engine has read. Tokens are
 * counted from the first one that is tokenized in this session.
 */
export class ProgressMeter {
  private readonly started = performance.now();
  /** Tokens of this session's text that the engine holds already, from before. */
  private known = 0;
  private tokensRead = 0;
  private tokenized = { bytes: 0, tokens: 0 };
  /** Tokens up to the end of each file that was tokenized. */
  private readonly fileEnds: number[] = [];
  private filesRead = 0;
  private finished = false;

  constructor(
    private readonly totals: ReadTotals,
    private readonly onProgress: ((progress: ReadProgress) => void) | undefined,
    private readonly before: ReadBefore = { files: 0, bytes: 0, tokens: 0 },
  ) {}

  /** The first tokens of this session's text were read before. How much of it they are shows when it is tokenized again. */
  beginBehind(tokens: number): void {
    this.known = tokens;
  }

  segmentTokenized(characters: number, tokens: number): void {
    this.tokenized = { bytes: this.tokenized.bytes + characters, tokens: this.tokenized.tokens + tokens };
  }

  fileTokenized(tokensUntilEnd: number): void {
    this.fileEnds.push(tokensUntilEnd);
  }

  engineRead(tokens: number): void {
    this.tokensRead = tokens;
    while ((this.fileEnds[this.filesRead] ?? Infinity) <= tokens) this.filesRead += 1;
    this.onProgress?.(this.progress());
  }

  /** Everything was read, also what turned out to be skipped. */
  finish(): void {
    this.finished = true;
    this.onProgress?.(this.progress());
  }

  progress(): ReadProgress {
    const { totals, before, known, tokensRead } = this;
    const seconds = (performance.now() - this.started) / 1000;
    const bytesRead = this.finished ? totals.bytes : Math.min(before.bytes + this.bytesOf(tokensRead), totals.bytes);
    const bytesNow = this.bytesOf(tokensRead - known);
    const tells = seconds >= settling && bytesNow > 0;
    return {
      filesRead: this.finished ? totals.files : before.files + this.filesRead,
      files: totals.files,
      tokensRead: before.tokens + tokensRead,
      bytesRead,
      bytes: totals.bytes,
      tokensPerSecond: seconds === 0 ? 0 : (tokensRead - known) / seconds,
      secondsLeft: tells ? (seconds * (totals.bytes - bytesRead)) / bytesNow : undefined,
    };
  }

  /** Characters stand for bytes here; with other scripts than Latin the bar jumps at the end. */
  private bytesOf(tokens: number): number {
    const { bytes, tokens: all } = this.tokenized;
    return all === 0 ? 0 : bytes * Math.min(1, tokens / all);
  }
}
