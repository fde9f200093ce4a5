/** Lines that a thread is about; 1-based and inclusive. */
export interface ThreadLines {
  readonly line: number;
  readonly endLine: number;
}

/** An edit of a document: what stood between two positions (0-based) was replaced by a text. */
export interface Edit {
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
  readonly text: string;
}

/** Where the lines of a thread are after an edit. Lines that were removed altogether leave the line they stood on. */
export function movedLines({ line, endLine }: ThreadLines, edit: Edit): ThreadLines {
  const removed = edit.endLine - edit.startLine;
  const added = edit.text.split(/\r\n|\r|\n/).length - 1;
  const shift = added - removed;
  const first = line - 1;
  const last = endLine - 1;
  const endsBefore = edit.endLine < first || (edit.endLine === first && edit.endCharacter === 0);
  if (endsBefore) return { line: line + shift, endLine: endLine + shift };
  if (edit.startLine > last) return { line, endLine };
  const begin = Math.min(first, edit.startLine);
  return { line: begin + 1, endLine: Math.max(begin, last + shift) + 1 };
}

/** Where a thread stands in a text that may have changed meanwhile: at the nearest line with the text of its first one. */
export function foundLines(lines: readonly string[], place: ThreadLines & { readonly firstLine: string }): ThreadLines {
  const { line, endLine, firstLine } = place;
  const last = Math.max(1, lines.length);
  const at = nearestEqual(lines, Math.min(line, last) - 1, firstLine);
  const begin = at === undefined ? Math.min(line, last) : at + 1;
  return { line: begin, endLine: Math.min(begin + endLine - line, last) };
}

function nearestEqual(lines: readonly string[], around: number, text: string): number | undefined {
  for (let distance = 0; distance < lines.length; distance++)
    for (const candidate of [around - distance, around + distance]) if (lines[candidate] === text) return candidate;
  return undefined;
}

/** Most that is sent of a selection. The sidecar takes of it what the model can read. */
const mostLines = 1_000;
const mostCharacters = 64_000;

/** The text of lines of a document, as much as is sent of it: whole lines, at least one. */
export function selectedText(
  lines: readonly string[],
  { line, endLine }: ThreadLines,
): { readonly text: string; readonly endLine: number } {
  let last = line;
  let text = (lines[line - 1] ?? '').slice(0, mostCharacters);
  while (last < endLine && last - line + 1 < mostLines) {
    const next = lines[last];
    if (next === undefined || text.length + next.length + 1 > mostCharacters) break;
    text += `\n${next}`;
    last++;
  }
  return { text, endLine: last };
}
