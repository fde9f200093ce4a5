import { classifyFirstBytes, type Verdict } from './classify.js';

/**
 * Decodes the bytes of a file piece by piece and says when they are no UTF-8 text. A byte-order mark at the beginning is
 * dropped.
 */
export class TextDecoding {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private started = false;

  /** The text of the next piece, as far as its characters are complete, or why this is no text. */
  next(piece: Buffer): string | Verdict {
    if (!this.started) {
      this.started = true;
      const verdict = classifyFirstBytes(piece);
      if (verdict !== undefined) return verdict;
    }
    if (piece.includes(0)) return { reason: 'binary', detail: 'it holds a NUL byte' };
    return this.decode(piece);
  }

  /** What is wrong with the end of the text, if anything. */
  end(): Verdict | undefined {
    const rest = this.decode(undefined);
    return typeof rest === 'string' ? undefined : rest;
  }

  private decode(piece: Buffer | undefined): string | Verdict {
    try {
      return piece === undefined ? this.decoder.decode() : this.decoder.decode(piece, { stream: true });
    } catch {
      return { reason: 'not-utf8', detail: 'its bytes are not valid UTF-8' };
    }
  }
}

/** Counts lines as editors do: a last line without an end counts too. */
export class LineCount {
  private ends = 0;
  private open = false;

  add(piece: Buffer): void {
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) this.ends += 1;
    if (piece.length > 0) this.open = piece.at(-1) !== 10;
  }

  get lines(): number {
    return this.ends + (this.open ? 1 : 0);
  }
}
