import { describe, expect, it } from 'vitest';
import { matchLines } from '../../../../extension/memory-view/line-matching.js';

function match(before: string, now: string): number[] {
  return Array.from(matchLines(before.split(' '), now.split(' ')));
}

describe('matchLines', () => {
  it('matches a text with itself', () => {
    expect(match('a b b c', 'a b b c')).toEqual([0, 1, 2, 3]);
  });

  it('leaves a changed line out and keeps what is around it', () => {
    expect(match('a b c d', 'a X c d')).toEqual([0, -1, 2, 3]);
  });

  it('follows lines behind what was inserted and what was removed', () => {
    expect(match('a b c d e', 'a X Y b c e')).toEqual([0, -1, -1, 1, 2, 4]);
  });

  it('keeps what lies between two changes', () => {
    expect(match('a b c d e f g', 'X b c d e f Y')).toEqual([-1, 1, 2, 3, 4, 5, -1]);
  });

  it('keeps repeated lines beside lines that are unique', () => {
    expect(match('x } one } y', 'X } one } Y')).toEqual([-1, 1, 2, 3, -1]);
  });

  it('matches the longest sequence in order when lines were moved', () => {
    expect(match('S a b c d E', 'T d a b c F')).toEqual([-1, -1, 1, 2, 3, -1]);
  });

  it('matches nothing of another text, and nothing with nothing', () => {
    expect(match('a b', 'c d e')).toEqual([-1, -1, -1]);
    expect(Array.from(matchLines([], ['a']))).toEqual([-1]);
    expect(Array.from(matchLines(['a'], []))).toEqual([]);
  });

  it('gives every line at most once and only to its equal, whatever was edited', () => {
    let state = 11;
    const random = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit;
    for (let round = 0; round < 300; round++) {
      const before = Array.from({ length: random(30) }, () => `line ${random(12)}`);
      const now = before.filter(() => random(5) > 0).flatMap((line) => (random(6) === 0 ? [line, 'new'] : [line]));
      const matches = Array.from(matchLines(before, now));
      const matched = matches.filter((line) => line >= 0);
      expect(matched).toEqual([...new Set(matched)].sort((a, b) => a - b));
      for (const [line, read] of matches.entries()) if (read >= 0) expect(before[read]).toBe(now[line]);
    }
  });
});
