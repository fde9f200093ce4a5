/** A place that a text names. Offsets are in UTF-16 units; lines are 1-based. */
export interface PlaceInText {
  readonly start: number;
  readonly end: number;
  /** Relative, with forward slashes; whether it exists is not known. */
  readonly path: string;
  readonly line: number;
}

/** `[label](target#L12)`; the target is percent-encoded. */
const markdownLink = /\[(?:[^[\]\\\n]|\\.)*\]\(([^()\s]+)#L(\d{1,7})(?:-L?\d{1,7})?\)/g;
/** `path:12`, standing alone. */
const barePlace =
  /(?<![\p{L}\p{N}_./:@+\\-])((?:[\p{L}\p{N}_.@+-]+\/)*[\p{L}\p{N}_.@+-]+):(\d{1,7})(?![\p{L}\p{N}:])/gu;

function decoded(target: string): string | undefined {
  try {
    return decodeURIComponent(target);
  } catch {
    return undefined;
  }
}

/** Every place that the text names as a link or as `path:line`, in order; at most `most` of them. */
export function placesInText(text: string, most = 2000): PlaceInText[] {
  const places: PlaceInText[] = [];
  const linked: (readonly [start: number, end: number])[] = [];
  for (const match of text.matchAll(markdownLink)) {
    linked.push([match.index, match.index + match[0].length]);
    const path = decoded(match[1] ?? '');
    if (path !== undefined) places.push(placeOf(match, path));
  }
  for (const match of text.matchAll(barePlace)) {
    const isInLink = linked.some(([start, end]) => match.index >= start && match.index < end);
    if (!isInLink) places.push(placeOf(match, match[1] ?? ''));
  }
  return places
    .filter(({ line }) => line > 0)
    .sort((a, b) => a.start - b.start)
    .slice(0, most);
}

function placeOf(match: RegExpExecArray, path: string): PlaceInText {
  return { start: match.index, end: match.index + match[0].length, path, line: Number(match[2]) };
}
