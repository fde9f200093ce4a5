/** Why a place was found. */
export type PlaceReason =
  'name' | 'similar-name' | 'misspelt-name' | 'path' | 'folder' | 'cursor' | 'use' | 'mention' | 'words';

/** A place in a repository, as the files are now. */
export interface Place {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  /** 1-based: the line on which the name stands, or which answers best. */
  readonly line: number;
  /** Last line of what begins there, inclusive. */
  readonly endLine: number;
  /** What is defined there, or what the place stands in. */
  readonly name?: string;
  /** The line. */
  readonly text: string;
  /** In words, for people. */
  readonly why: string;
  readonly reason: PlaceReason;
}

/** Longer lines are cut. UTF-16 units. */
const maxTextLength = 240;

/** A line as a place shows it. */
export function placeText(line: string): string {
  const text = line.trimEnd();
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}
