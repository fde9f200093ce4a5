import type { TokenRange } from '../../engine/engine.js';
import type { RepositoryFile } from '../../repository/source.js';
import type { FileTokens, SourcePosition } from './memory.js';

/** Where the tokens of one file stand, compactly: a byte per token and six per line. */
export interface FileMap extends FileTokens {
  /** For each line the number of tokens in the file (from `begin`) before its first token; ascending. */
  readonly lineTokens: Int32Array;
  /** UTF-16 column, 1-based, at which the first token of each line begins: a token may reach into the next line. */
  readonly firstColumns: Uint16Array;
  /** UTF-16 units from each token's beginning to the next one's on the same line; 255 stands for 255 and more. */
  readonly widths: Uint8Array;
  /** For each token of 255 units and more: its number in the file and its width. */
  readonly wideTokens: Int32Array;
}

const mostColumn = 0xffff;
/** A width that is too large for a byte. */
const wide = 0xff;

/** The tokens of a line, 1-based, by their numbers in the file; those of its header stand before line 1. */
export function tokensOfLine({ begin, end, lineTokens }: FileMap, line: number): TokenRange {
  const firstOf = (at: number): number => lineTokens[at - 1] ?? end - begin;
  return { begin: firstOf(line), end: firstOf(line + 1) };
}

/** Takes down where the tokens of one file stand while they are read, in order. */
export class FileMapBuilder {
  private readonly lineTokens: number[] = [];
  private readonly firstColumns: number[] = [];
  private readonly widths: number[] = [];
  private readonly wideTokens: number[] = [];
  private line = 0;
  private column = 0;

  /** @param begin token index of the first token of the file's header */
  constructor(private readonly begin: number) {}

  /** Adds the tokens of the file's header: they stand at its beginning. */
  addHeader(tokens: number): void {
    for (let i = 0; i < tokens; i++) this.widths.push(0);
  }

  /**
   * Adds the tokens of a piece of text.
   * @param starts UTF-16 offsets in the text at which tokens begin, ascending
   * @param line of the file on which the text begins, 1-based
   * @param column UTF-16 column at which it begins, 1-based
   */
  add(text: string, starts: Int32Array, line: number, column: number): void {
    let currentLine = line;
    let lineBegin = 1 - column;
    let nextEnd = text.indexOf('\n');
    for (const start of starts) {
      while (nextEnd >= 0 && nextEnd < start) {
        currentLine += 1;
        lineBegin = nextEnd + 1;
        nextEnd = text.indexOf('\n', nextEnd + 1);
      }
      this.place(currentLine, start - lineBegin + 1);
    }
  }

  private place(line: number, column: number): void {
    // Columns before and behind a cut within a line may differ by what neutralizing added.
    if (line === this.line) this.widen(Math.max(0, column - this.column));
    for (; this.line < line; this.line++) {
      this.lineTokens.push(this.widths.length);
      this.firstColumns.push(Math.min(mostColumn, column));
    }
    this.column = column;
    this.widths.push(0);
  }

  private widen(width: number): void {
    const token = this.widths.length - 1;
    this.widths[token] = Math.min(wide, width);
    if (width >= wide) this.wideTokens.push(token, width);
  }

  finish(file: RepositoryFile): FileMap {
    return {
      file,
      begin: this.begin,
      end: this.begin + this.widths.length,
      lineTokens: Int32Array.from(this.lineTokens),
      firstColumns: Uint16Array.from(this.firstColumns),
      widths: Uint8Array.from(this.widths),
      wideTokens: Int32Array.from(this.wideTokens),
    };
  }
}

/** The last index whose value is at most `value`; -1 when there is none. `valueAt` ascends. */
function lastAtMost(length: number, valueAt: (index: number) => number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function wideTokenWidth({ wideTokens }: FileMap, token: number): number {
  const pair = lastAtMost(wideTokens.length / 2, (index) => wideTokens[2 * index] ?? 0, token);
  return wideTokens[2 * pair + 1] ?? wide;
}

/** Where a token of a file stands: its header's tokens at the file's beginning. */
export function positionIn(file: FileMap, tokenIndex: number): SourcePosition {
  const token = tokenIndex - file.begin;
  const { lineTokens, firstColumns, widths } = file;
  const line = lastAtMost(lineTokens.length, (index) => lineTokens[index] ?? 0, token);
  const { path } = file.file;
  if (line < 0) return { path, line: 1, column: 1 };
  let column = firstColumns[line] ?? 1;
  for (let i = lineTokens[line] ?? 0; i < token; i++)
    column += widths[i] === wide ? wideTokenWidth(file, i) : (widths[i] ?? 0);
  return { path, line: line + 1, column };
}

/** The files of a memory by ascending token index. */
export class SourceMap {
  constructor(readonly files: readonly FileMap[]) {}

  /** The file that a token belongs to. */
  fileAt(tokenIndex: number): FileMap | undefined {
    const { files } = this;
    const file = files[lastAtMost(files.length, (index) => files[index]?.begin ?? Infinity, tokenIndex)];
    return file !== undefined && tokenIndex < file.end ? file : undefined;
  }

  locate(tokenIndex: number): SourcePosition | undefined {
    const file = this.fileAt(tokenIndex);
    return file === undefined ? undefined : positionIn(file, tokenIndex);
  }
}
