import { shadeFill, stepOf } from './retention-scale.js';

/** How many shades there are. */
export const shades = 8;

/** Neighbouring lines of one shade; 0-based, both ends included. */
export interface ShadedLines {
  readonly first: number;
  readonly last: number;
}

/** The retention of a file's lines as they were read, put on the lines as they are now. */
export interface LineShares {
  /** Per line as it was read the share of its cache units that is kept, 0..1; -1 where no token begins. */
  readonly kept: readonly number[];
  /** Per line now which line it was when it was read; -1: none. */
  readonly matches: Int32Array;
}

/** The share that is kept of a line as it is now; undefined for lines without tokens and lines that changed. */
export function shareOf({ kept, matches }: LineShares, line: number): number | undefined {
  const share = kept[matches[line] ?? -1] ?? -1;
  return share < 0 ? undefined : share;
}

/**
 * Where each shade goes: index 0 is the faintest. Lines of which nothing is kept have none. A line without tokens (an empty
 * one) takes the shade of its neighbours when both have the same, so that a function is one piece.
 *
 * @param average share of the whole repository
 */
export function shadedLines(shares: LineShares, average: number): ShadedLines[][] {
  const ranges: ShadedLines[][] = Array.from({ length: shades }, () => []);
  const { kept, matches } = shares;
  let first = 0;
  let last = -1;
  let step = 0;
  for (let line = 0; line < matches.length; line++) {
    const read = matches[line] ?? -1;
    const share = kept[read] ?? -1;
    if (read >= 0 && share < 0) continue;
    const next = share <= 0 ? 0 : stepOf(shadeFill(share, average), shades);
    // What lies between is empty lines only, or nothing.
    if (next === step && next > 0 && line > last) {
      last = line;
      continue;
    }
    if (step > 0) ranges[step - 1]?.push({ first, last });
    step = next;
    first = line;
    last = line;
  }
  if (step > 0) ranges[step - 1]?.push({ first, last });
  return ranges;
}

/** True when there are lines that were not there, or not so, when the file was read. */
export function hasChangedLines({ matches }: LineShares): boolean {
  return matches.includes(-1);
}
