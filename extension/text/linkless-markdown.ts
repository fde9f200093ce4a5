/** A line that opens fenced code, or closes it: indentation, a list item's marker, the fence, what follows it. */
const fenceLine = /^(\s*(?:(?:[-*+]|\d+[.)])\s+)?)(`{3,}|~{3,})(.*)$/;
/** What a renderer could take for a link, were it not in a code span. */
const linkLike = /\]\s*[([]|<[^\s<>]*[:@]|:\/\/|www\.|\w@\w/;
/** Control signs, and the signs that reverse the direction of text. */
const hiddenSigns = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Text without signs that are not seen: control signs, and those that reverse the direction of text. */
export function visibleText(text: string): string {
  return text.replace(hiddenSigns, (sign) => (sign === '\n' || sign === '\t' ? sign : ''));
}

/** One line of text that Markdown shows as it stands. */
export function escapeMarkdown(text: string): string {
  return visibleText(text)
    .replace(/[\n\t]+/g, ' ')
    .replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/**
 * What a model wrote, as Markdown without anything that can be followed: emphasis, lists, tables and code stay, while
 * links, images, addresses and HTML become the text they are written as.
 *
 * What is code is decided here and written so that no renderer can see it otherwise: fences stand at the beginning of
 * their line, are always closed, and code spans do not reach beyond a line.
 *
 * @param complete false while more is to come: what the rest may give another meaning is held back, so that each result
 *   begins with the one before it
 */
export function linklessMarkdown(markdown: string, complete = true): string {
  const lines = visibleText(markdown).split('\n');
  const last = lines.pop() ?? '';
  let shown = '';
  let fence: Fence | undefined;
  for (const line of lines) {
    const opened = fence === undefined ? openedFence(line) : undefined;
    if (opened !== undefined) shown += `${opened.before}${opened.marker}${opened.language}\n`;
    else if (fence === undefined) shown += `${disarmed(line, true)}\n`;
    else shown += closes(line, fence) ? `${fence.marker}\n` : `${unindented(line, fence)}\n`;
    fence = opened ?? (fence !== undefined && !closes(line, fence) ? fence : undefined);
  }
  if (!complete) return shown + (fence === undefined && mayOpenFence(last) ? '' : growing(last, fence));
  if (fence === undefined) return shown + (openedFence(last) === undefined ? disarmed(last, true) : '');
  const rest = last === '' || closes(last, fence) ? '' : `${unindented(last, fence)}\n`;
  return `${shown}${rest}${fence.marker}`;
}

/** Makes linkless Markdown of a text while it comes. */
export class LinklessStream {
  private text = '';
  private shown = '';

  /** Takes the next piece; returns what can be shown now, behind all that was returned before. */
  push(piece: string): string {
    this.text += piece;
    return this.added(linklessMarkdown(this.text, false));
  }

  /** What is left to show when nothing more comes. */
  end(): string {
    return this.added(linklessMarkdown(this.text));
  }

  private added(shown: string): string {
    const added = shown.slice(this.shown.length);
    this.shown = shown;
    return added;
  }
}

interface Fence {
  /** A list item's marker before the fence; it gets a line of its own. */
  readonly before: string;
  readonly marker: string;
  readonly language: string;
  readonly indentation: number;
}

function openedFence(line: string): Fence | undefined {
  const [, prefix = '', marker, info = ''] = fenceLine.exec(line) ?? [];
  if (marker === undefined || (marker.startsWith('`') && info.includes('`'))) return undefined;
  const language = /^\s*([\w+#.-]*)/.exec(info)?.[1] ?? '';
  return { before: prefix.trim() === '' ? '' : `${prefix}\n`, marker, language, indentation: prefix.length };
}

function closes(line: string, { marker }: Fence): boolean {
  const closing = line.trim();
  return closing.startsWith(marker) && closing === marker.charAt(0).repeat(closing.length);
}

function unindented(line: string, { indentation }: Fence): string {
  return line.replace(new RegExp(`^\\s{0,${indentation}}`), '');
}

function mayOpenFence(line: string): boolean {
  return /^\s*(?:(?:[-*+]|\d+[.)]?)\s*)?(?:[`~].*)?$/.test(line);
}

/** As much of an unfinished line as is certain. */
function growing(line: string, fence: Fence | undefined): string {
  if (fence === undefined) return disarmed(line, false);
  const mayClose = /^\s*[`~]*\s*$/.test(line);
  return mayClose ? '' : unindented(line, fence);
}

/** A line outside of fenced code; when more of it is to come, only as far as its meaning is certain. */
function disarmed(line: string, complete: boolean): string {
  let shown = '';
  let at = 0;
  while (at < line.length) {
    const piece = nextPiece(line, at, complete);
    if (piece === undefined) break;
    shown += piece.shown;
    at = piece.end;
  }
  return shown;
}

interface Piece {
  readonly shown: string;
  readonly end: number;
}

/** The next signs of a line that belong together; undefined when what is to come decides what they are. */
function nextPiece(line: string, at: number, complete: boolean): Piece | undefined {
  const sign = line.charAt(at);
  const rest = line.length - at;
  switch (sign) {
    case '`':
      return codeSpan(line, at, complete);
    case '\\':
      if (rest < 2) return complete ? { shown: '\\\\', end: at + 1 } : undefined;
      return { shown: line.slice(at, at + 2), end: at + 2 };
    case '[':
    case ']':
    case '<':
    case '@':
    case '~':
      return { shown: `\\${sign}`, end: at + 1 };
    case ':':
      if (rest < 3 && !complete) return undefined;
      return { shown: line.startsWith('://', at) ? '\\:' : ':', end: at + 1 };
    case '.':
      return { shown: /www$/i.test(line.slice(Math.max(0, at - 3), at)) ? '\\.' : '.', end: at + 1 };
    default:
      return { shown: sign, end: at + 1 };
  }
}

/**
 * A code span as it stands, or its backticks alone where nothing closes them, or where a renderer could cut the span and
 * make something of its pieces: tables are cut at each `|` in code too, and emphasis may begin before and end in a span.
 */
function codeSpan(line: string, at: number, complete: boolean): Piece | undefined {
  const run = /^`+/.exec(line.slice(at))?.[0] ?? '';
  const closing = new RegExp(`(?<!\`)${run}(?!\`)`, 'g');
  closing.lastIndex = at + run.length;
  const close = closing.exec(line);
  const end = close === null ? undefined : close.index + run.length;
  if (!complete && (end === undefined || end === line.length)) return undefined;
  const span = line.slice(at, end);
  const mayBeCut = span.includes('|') || (/[*_~]/.test(span) && linkLike.test(span));
  if (end !== undefined && !mayBeCut) return { shown: span, end };
  // Not with a backslash: VS Code's chat counts backticks to see where code is, and does not see backslashes.
  return { shown: run.replaceAll('`', '&#96;'), end: at + run.length };
}
