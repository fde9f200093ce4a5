/** Longer blocks are cut. Lines. */
const maxBlockLines = 3_000;

/** Lines that close or go on with a block at its own depth. */
const goesOn =
  /^[ \t]*(?:[{})\]]|(?:end|else|elif|elsif|except|finally|catch|rescue|ensure|then|do|done|fi|esac|when|case|default)\b)/;
/** A closing line after which it still goes on: `} else {`, `): int {`. */
const opensAgain = /(?:[{([:]|=>|->|\b(?:then|do|else|begin|is|as))[ \t]*(?:\/\/.*|#.*)?$/;
/** Preprocessor lines and labels stand at the margin inside of functions. */
const transparent =
  /^(?:#[ \t]*(?:if|ifdef|ifndef|else|elif|endif|define|undef|pragma|include)\b|[A-Za-z_]\w*:[ \t]*$)/;

function indentOf(line: string): number {
  let indent = 0;
  for (const character of line) {
    if (character === ' ') indent += 1;
    else if (character === '\t') indent += 8;
    else break;
  }
  return indent;
}

/**
 * The last row of the block that begins in a row, by indentation: what is indented more belongs to it, and so do the lines
 * that close it.
 *
 * @param row 0-based
 * @returns 0-based, inclusive
 */
export function endOfBlock(lines: readonly string[], row: number): number {
  const indent = indentOf(lines[row] ?? '');
  const limit = Math.min(lines.length, row + maxBlockLines);
  let last = row;
  for (let at = row + 1; at < limit; at += 1) {
    const line = lines[at] ?? '';
    if (line.trim() === '') continue;
    const own = indentOf(line);
    if (own > indent) {
      last = at;
    } else if (own < indent && !transparent.test(line)) {
      break;
    } else if (own === indent && goesOn.test(line)) {
      last = at;
      const isClosed = /^[ \t]*(?:[})\]]|end\b|done\b|fi\b|esac\b)/.test(line) && !opensAgain.test(line);
      if (isClosed) break;
    } else if (!transparent.test(line)) {
      break;
    }
  }
  return last;
}
