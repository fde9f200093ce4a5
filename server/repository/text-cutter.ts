/** A cut of a text and where it begins, line and UTF-16 column, both 1-based. */
export interface Cut {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** UTF-16 units of a cut. */
const maxLength = 65_536;

/** True when a cut before `at` would part a surrogate pair or a CRLF. */
function partsPair(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return (before >= 0xd800 && before <= 0xdbff) || (before === 13 && text.charCodeAt(at) === 10);
}

/**
 * Cuts a text that comes in pieces into parts of at most 64 Ki UTF-16 units, at line ends where there is one, otherwise
 * within the line. The last part ends in a line end in any case.
 */
export class TextCutter {
  private held = '';
  private line = 1;
  private column = 1;

  /** What can be cut off with the next piece. */
  *add(piece: string): Generator<Cut, void, undefined> {
    this.held += piece;
    while (this.held.length >= maxLength) {
      const lineEnd = this.held.lastIndexOf('\n', maxLength - 1) + 1;
      const within = partsPair(this.held, maxLength) ? maxLength - 1 : maxLength;
      yield this.cut(lineEnd > 0 ? lineEnd : within);
    }
  }

  /** The rest. */
  *end(): Generator<Cut, void, undefined> {
    const endsLine = this.held === '' ? this.column === 1 : this.held.endsWith('\n');
    if (!endsLine) this.held += '\n';
    if (this.held !== '') yield this.cut(this.held.length);
  }

  private cut(length: number): Cut {
    const cut = { text: this.held.slice(0, length), line: this.line, column: this.column };
    this.held = this.held.slice(length);
    let lastEnd = -1;
    for (let at = cut.text.indexOf('\n'); at >= 0; at = cut.text.indexOf('\n', at + 1)) {
      this.line += 1;
      lastEnd = at;
    }
    this.column = lastEnd < 0 ? this.column + length : length - lastEnd;
    return cut;
  }
}
