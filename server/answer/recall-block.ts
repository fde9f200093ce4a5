import type { ModelTokenizer } from '../model/tokenizer.js';

/** The line that stands for lines left out. */
export const cutMark = '…';

/** A block as the model reads it. */
export interface BlockText {
  /** Header, text, line end; special tokens only in the header. */
  readonly text: string;
  readonly line: number;
  /** Last line shown. */
  readonly endLine: number;
  readonly tokens: number;
  /** Lines left out at the end. */
  readonly cut: number;
}

/** Lines beyond this many characters per allowed token cannot fit and are not tokenized to find out. */
const charactersPerToken = 32;

/**
 * A recall block: a file header that carries the line, and the text.
 *
 * With repository tokens `<|file_sep|>{path}:{line}`, otherwise `\n=== {path}:{line} ===`. Path and text are neutralized:
 * nothing in a repository becomes a special token.
 */
export function recallBlockText(tokenizer: ModelTokenizer, path: string, line: number, text: string): string {
  const place = tokenizer.neutralize(`${path.replace(/[\r\n]/g, ' ')}:${line}`);
  const header = tokenizer.hasRepositoryTokens ? `<|file_sep|>${place}` : `\n=== ${place} ===`;
  return `${header}\n${tokenizer.neutralize(text)}\n`;
}

/**
 * The block of lines `line`..`endLine` of a file, cut at a line's end where it has more than `limit` tokens.
 *
 * @param lines of the file as it is now
 * @param nameLine when the cut would leave out this line, the block begins with it instead
 * @returns undefined when not even one line fits
 */
export function fitRecallBlock(
  tokenizer: ModelTokenizer,
  path: string,
  lines: readonly string[],
  range: { readonly line: number; readonly endLine: number; readonly nameLine: number },
  limit: number,
): BlockText | undefined {
  const endLine = Math.min(range.endLine, lines.length);
  const fitFrom = (line: number): BlockText | undefined =>
    fitLines(tokenizer, path, line, lines.slice(line - 1, endLine), limit);
  const fromStart = fitFrom(range.line);
  if (fromStart !== undefined && fromStart.endLine >= Math.min(range.nameLine, endLine)) return fromStart;
  return range.nameLine > range.line ? fitFrom(range.nameLine) : fromStart;
}

/**
 * The block of some lines, cut at a line's end where they have more than `limit` tokens.
 *
 * @param line number of the first one
 * @returns undefined when there are none, or not even one fits
 */
export function fitLines(
  tokenizer: ModelTokenizer,
  path: string,
  line: number,
  all: readonly string[],
  limit: number,
): BlockText | undefined {
  if (all.length === 0) return undefined;
  const build = (count: number): { text: string; tokens: number } => {
    const shown = all.slice(0, count).join('\n').trimEnd();
    const text = recallBlockText(tokenizer, path, line, count < all.length ? `${shown}\n${cutMark}` : shown);
    return { text, tokens: tokenizer.encode(text).length };
  };
  // The longest prefix that can fit by its length alone, then by halving: the number of tokens grows with the lines.
  let characters = 0;
  let most = 0;
  for (const text of all) {
    characters += text.length + 1;
    if (characters > limit * charactersPerToken) break;
    most += 1;
  }
  let fits = 0;
  let best: { text: string; tokens: number } | undefined;
  let tooMany = most + 1;
  for (let count = most; fits + 1 < tooMany; count = (fits + tooMany) >> 1) {
    const block = build(count);
    if (block.tokens <= limit) {
      fits = count;
      best = block;
    } else {
      tooMany = count;
    }
  }
  return best === undefined ? undefined : { ...best, line, endLine: line + fits - 1, cut: all.length - fits };
}
