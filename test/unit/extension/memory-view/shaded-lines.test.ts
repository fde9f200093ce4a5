import { describe, expect, it } from 'vitest';
import { matchLines } from '../../../../extension/memory-view/line-matching.js';
import {
  hasChangedLines,
  shadedLines,
  shades,
  shareOf,
  type LineShares,
} from '../../../../extension/memory-view/shaded-lines.js';

/** Lines that are as they were read. */
function unchanged(kept: readonly number[]): LineShares {
  return { kept, matches: Int32Array.from(kept, (_, line) => line) };
}

/** Ranges by shade, without the shades that have none. */
function shaded(shares: LineShares, average = 0.01): ReadonlyMap<number, readonly (readonly [number, number])[]> {
  const shadesWithLines = shadedLines(shares, average)
    .map((ranges, shade) => [shade + 1, ranges.map(({ first, last }) => [first, last] as const)] as const)
    .filter(([, ranges]) => ranges.length > 0);
  return new Map(shadesWithLines);
}

describe('shadedLines', () => {
  it('merges neighbouring lines of one shade', () => {
    expect(shaded(unchanged([1, 1, 1, 0, 1]))).toEqual(
      new Map([
        [
          8,
          [
            [0, 2],
            [4, 4],
          ],
        ],
      ]),
    );
  });

  it('gives more to lines of which more is kept', () => {
    const ranges = shadedLines(unchanged([0.001, 0.05, 0.4, 1]), 0.01);
    const shadeOf = (line: number): number => ranges.findIndex((each) => each.some(({ first }) => first === line));
    const found = [0, 1, 2, 3].map(shadeOf);
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(new Set(found).size).toBe(4);
    expect(found.at(-1)).toBe(shades - 1);
  });

  it('shades nothing of which nothing is kept', () => {
    expect(shaded(unchanged([0, 0, 0]))).toEqual(new Map());
    expect(shaded(unchanged([]))).toEqual(new Map());
  });

  it('lets empty lines join what is around them, and only that', () => {
    expect(shaded(unchanged([-1, 1, -1, -1, 1, -1]))).toEqual(new Map([[8, [[1, 4]]]]));
    expect(shaded(unchanged([1, -1, 0]))).toEqual(new Map([[8, [[0, 0]]]]));
  });

  it('leaves lines that changed without a shade and moves the others', () => {
    const kept = [1, 1, 1];
    const matches = matchLines(['a', 'b', 'c'], ['new', 'a', 'changed', 'c']);
    expect(shaded({ kept, matches })).toEqual(
      new Map([
        [
          8,
          [
            [1, 1],
            [3, 3],
          ],
        ],
      ]),
    );
    expect(hasChangedLines({ kept, matches })).toBe(true);
    expect(hasChangedLines(unchanged(kept))).toBe(false);
  });

  it('shades a file of 5,000 lines', () => {
    const kept = Array.from({ length: 5000 }, (_, line) => (line % 5 === 0 ? -1 : (line % 97) / 97));
    const lines = kept.map((_, line) => (line % 5 === 0 ? '' : `line ${line % 4000}`));
    const edited = lines.map((line, index) => (index % 50 === 7 ? `${line}!` : line));
    const start = performance.now();
    const ranges = shadedLines({ kept, matches: matchLines(lines, edited) }, 0.01);
    console.log(`5,000 lines matched and shaded: ${(performance.now() - start).toFixed(1)} ms`);
    const covered = ranges.flat().reduce((sum, { first, last }) => sum + last - first + 1, 0);
    expect(covered).toBeGreaterThan(3500);
  });
});

describe('shareOf', () => {
  it('tells the share of a line where it stands now', () => {
    const shares: LineShares = { kept: [0.5, -1, 0.25], matches: Int32Array.from([-1, 0, 1, 2]) };
    expect([0, 1, 2, 3, 4].map((line) => shareOf(shares, line))).toEqual([undefined, 0.5, undefined, 0.25, undefined]);
  });
});
