/** Says of each line of a text which line of an earlier one it is; -1 for lines that are new or changed. */
export function matchLines(before: readonly string[], now: readonly string[]): Int32Array {
  const matches = new Int32Array(now.length).fill(-1);
  matchBetween({ before, now, matches }, { before: 0, now: 0 }, { before: before.length, now: now.length });
  return matches;
}

interface Texts {
  readonly before: readonly string[];
  readonly now: readonly string[];
  readonly matches: Int32Array;
}

/** A place in both texts, as numbers of lines (0-based). */
interface Lines {
  readonly before: number;
  readonly now: number;
}

/**
 * Matches what both texts begin and end with; between that the lines that each has once, in the longest sequence that
 * stands in the same order in both; and so on between those (patience diff).
 */
function matchBetween(texts: Texts, begin: Lines, end: Lines): void {
  const { before, now, matches } = texts;
  let { before: beforeBegin, now: nowBegin } = begin;
  let { before: beforeEnd, now: nowEnd } = end;
  while (beforeBegin < beforeEnd && nowBegin < nowEnd && before[beforeBegin] === now[nowBegin])
    matches[nowBegin++] = beforeBegin++;
  while (beforeBegin < beforeEnd && nowBegin < nowEnd && before[beforeEnd - 1] === now[nowEnd - 1])
    matches[--nowEnd] = --beforeEnd;
  let from: Lines = { before: beforeBegin, now: nowBegin };
  const anchors = commonUniqueLines(texts, from, { before: beforeEnd, now: nowEnd });
  if (anchors.length === 0) return;
  for (const anchor of [...anchors, { before: beforeEnd, now: nowEnd }]) {
    matchBetween(texts, from, anchor);
    if (anchor.now < nowEnd) matches[anchor.now] = anchor.before;
    from = { before: anchor.before + 1, now: anchor.now + 1 };
  }
}

/** Lines that each part has exactly once, in the longest sequence that ascends in both. */
function commonUniqueLines({ before, now }: Texts, begin: Lines, end: Lines): Lines[] {
  const places = uniquePlaces(before, begin.before, end.before);
  const pairs: Lines[] = [];
  for (const [line, place] of uniquePlaces(now, begin.now, end.now)) {
    const earlier = places.get(line);
    if (earlier !== undefined) pairs.push({ before: earlier, now: place });
  }
  return longestAscending(pairs);
}

/** The lines that stand once in a part of a text, with their numbers, in order. */
function uniquePlaces(lines: readonly string[], begin: number, end: number): Map<string, number> {
  const places = new Map<string, number>();
  const repeated = new Set<string>();
  for (let number = begin; number < end; number++) {
    const line = lines[number] ?? '';
    if (places.has(line)) repeated.add(line);
    else places.set(line, number);
  }
  for (const line of repeated) places.delete(line);
  return places;
}

/** The longest sequence of pairs, given by ascending `now`, in which `before` ascends too. */
function longestAscending(pairs: readonly Lines[]): Lines[] {
  interface Link {
    readonly pair: Lines;
    readonly previous: Link | undefined;
  }
  /** For each length the sequence of that length whose last pair has the smallest `before`. */
  const ends: Link[] = [];
  for (const pair of pairs) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.pair.before ?? Infinity) < pair.before) low = middle + 1;
      else high = middle;
    }
    ends[low] = { pair, previous: ends[low - 1] };
  }
  const sequence: Lines[] = [];
  for (let link = ends.at(-1); link !== undefined; link = link.previous) sequence.push(link.pair);
  return sequence.reverse();
}
