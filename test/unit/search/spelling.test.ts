import { describe, expect, it } from 'vitest';
import { editDistance, nearestWords } from '../../../server/search/spelling.js';

describe('the edit distance', () => {
  it.each([
    ['render', 'render', 0],
    ['tempalte', 'template', 1],
    ['bilder', 'builder', 1],
    ['kitten', 'sitting', 3],
    ['abc', 'abcdef', 3],
  ])('of %s and %s', (a, b, edits) => {
    expect(editDistance(a, b, 3)).toBe(edits);
  });

  it('is not counted beyond what is allowed', () => {
    expect(editDistance('aaaaaaaa', 'bbbbbbbb', 2)).toBe(3);
  });
});

describe('the nearest words', () => {
  it('are all that need the fewest edits', () => {
    expect(nearestWords('rendertempalte', ['rendertemplate', 'rendertemplates', 'other'])).toEqual(['rendertemplate']);
  });

  it('are none where too much differs, or the word is too short to be misspelt', () => {
    expect(nearestWords('entirely', ['different'])).toEqual([]);
    expect(nearestWords('ab', ['ac'])).toEqual([]);
  });
});
