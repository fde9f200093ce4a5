import type { Citation } from '../../../server/contract/protocol.js';

/** A piece of text, and the checked place it names, if it names one. */
export interface TextPiece {
  readonly text: string;
  readonly place?: { readonly path: string; readonly line: number; readonly endLine: number };
}

/** Tells the checked places in a text from everything else. */
export type PlaceFinder = (text: string) => readonly TextPiece[];

/** Finds nothing: while an answer is streamed, nothing in it was checked. */
export const noPlaces: PlaceFinder = (text) => [{ text }];

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/**
 * Finds `path`, `path:12`, `path:12-15` and `path#L12` where the path is one of an answer's citations and the line lies in
 * what was checked. What else looks like a place stays text: nobody has checked it.
 */
export function placesOf(citations: readonly Citation[]): PlaceFinder {
  if (citations.length === 0) return noPlaces;
  const paths = [...new Set(citations.map(({ path }) => path))].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_./@+-])(${paths.map(escapePattern).join('|')})` +
      `(?:(?::|#L)(\\d{1,7})(?:[-–]L?(\\d{1,7}))?)?(?![\\p{L}\\p{N}_/@+-]|\\.[\\p{L}\\p{N}])`,
    'gu',
  );
  const placeOf = (path: string, line: string | undefined, endLine: string | undefined): TextPiece['place'] => {
    const first = line === undefined ? undefined : Number(line);
    const citation = citations.find(
      (candidate) =>
        candidate.path === path && (first === undefined || (first >= candidate.line && first <= candidate.endLine)),
    );
    if (citation === undefined) return undefined;
    const from = first ?? citation.line;
    const to = Math.min(citation.endLine, endLine === undefined ? from : Number(endLine));
    return { path, line: from, endLine: Math.max(from, to) };
  };
  return (text) => {
    const pieces: TextPiece[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const place = placeOf(match[1] ?? '', match[2], match[3]);
      if (place === undefined) continue;
      if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
      pieces.push({ text: match[0], place });
      end = match.index + match[0].length;
    }
    if (end < text.length) pieces.push({ text: text.slice(end) });
    return pieces;
  };
}
