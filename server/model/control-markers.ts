/** Between the characters of a broken marker: zero width space. */
const zeroWidthSpace = '\u200b';

/** What {@link markerBreaker} needs to know of a token that was added to a vocabulary. */
export interface AddedMarker {
  readonly content: string;
  readonly special: boolean;
}

/**
 * Makes a function that breaks every control marker in a text (`<|im_end|>`, `<tool_call>`, `[INST]`), so that none of
 * them is read as a token: a zero width space goes in behind its first character (a marker of one character becomes
 * U+FFFD). Lines stay as they are, nothing else changes, and broken text comes through unchanged. Added tokens that are
 * not special count when they look like a marker, in angle or square brackets; others are vocabulary.
 * @param normalize what the tokenizer makes of a text before it looks for markers: characters that it turns into a
 *   marker's are replaced by what it makes of them, and then broken
 */
export function markerBreaker(
  added: Iterable<AddedMarker>,
  normalize: (text: string) => string,
): (text: string) => string {
  const markers = [...added].filter(isControl).map(({ content }) => content);
  if (markers.length === 0) return (text) => text;
  const singles = new Set(markers.filter((content) => Array.from(content).length === 1));
  const beginning = markerBeginnings(markers);
  const broken = (text: string): string =>
    text.replace(beginning, (first) => (singles.has(first) ? '\ufffd' : first + zeroWidthSpace));
  return (text) => {
    const once = broken(text);
    if (normalize(once).search(beginning) < 0) return once;
    return broken(text.replace(/[^\r\n]/gu, (character) => normalize(character)));
  };
}

function isControl({ content, special }: AddedMarker): boolean {
  return special ? /\S/.test(content) : /^[<[].*\p{L}.*[>\]]$/u.test(content);
}

/** Matches the first character of every marker, also of those that begin within another. */
function markerBeginnings(markers: readonly string[]): RegExp {
  const restsByFirst = new Map<string, string[]>();
  for (const content of markers) {
    const [first = '', ...rest] = content;
    restsByFirst.set(first, [...(restsByFirst.get(first) ?? []), rest.join('')]);
  }
  const choices = Array.from(restsByFirst, ([first, rests]) => {
    return `${escapePattern(first)}(?=${rests.map(escapePattern).join('|')})`;
  });
  return new RegExp(choices.join('|'), 'gu');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
