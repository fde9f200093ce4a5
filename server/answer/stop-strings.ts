/**
 * Watches streamed text for strings that end it, also where one is spread over several pieces: what could be the
 * beginning of a stop string is held back until it is known.
 */
export class StopStrings {
  private held = '';
  private stop = false;

  constructor(private readonly strings: readonly string[]) {
    this.strings = strings.filter((text) => text !== '');
  }

  /** True once a stop string was seen; nothing comes out any more. */
  get stopped(): boolean {
    return this.stop;
  }

  /** What of the text so far is certainly part of the answer and was not returned before. */
  push(piece: string): string {
    if (this.stop) return '';
    const text = this.held + piece;
    let first = -1;
    for (const string of this.strings) {
      const at = text.indexOf(string);
      if (at >= 0 && (first < 0 || at < first)) first = at;
    }
    if (first >= 0) {
      this.stop = true;
      this.held = '';
      return text.slice(0, first);
    }
    const open = this.openLength(text);
    this.held = text.slice(text.length - open);
    return text.slice(0, text.length - open);
  }

  /** What was held back when the stream ends. */
  end(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }

  /** Length of the longest end of the text that is the beginning of a stop string. */
  private openLength(text: string): number {
    let longest = 0;
    for (const string of this.strings) {
      for (let length = Math.min(string.length - 1, text.length); length > longest; length--) {
        if (string.startsWith(text.slice(text.length - length))) longest = length;
      }
    }
    return longest;
  }
}
