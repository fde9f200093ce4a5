import { describe, expect, test } from 'vitest';
import type { Citation } from '../../../../../server/contract/protocol.js';
import { noPlaces, placesOf } from '../../../../../extension/chat/webview/places.js';

const citations: Citation[] = [
  { path: 'src/store/apple.ts', line: 12, endLine: 30, from: 'recall' },
  { path: 'src/store/apple.ts', line: 50, endLine: 52, from: 'answer' },
  { path: 'apple.ts', line: 1, endLine: 1, from: 'answer' },
  { path: 'a+b (c).ts', line: 4, endLine: 9, from: 'answer' },
  { path: 'lib-x/[id]-{a|b}^$?.ts', line: 2, endLine: 2, from: 'answer' },
];
const find = placesOf(citations);

function links(text: string): string[] {
  return find(text).flatMap(({ text: label, place }) =>
    place === undefined ? [] : [`${label} -> ${place.path}:${place.line}-${place.endLine}`],
  );
}

describe('places in an answer', () => {
  test('are links when their line was checked', () => {
    expect(links('See src/store/apple.ts:12 and src/store/apple.ts:51.')).toEqual([
      'src/store/apple.ts:12 -> src/store/apple.ts:12-12',
      'src/store/apple.ts:51 -> src/store/apple.ts:51-51',
    ]);
  });

  test('stay text when their line or their path was not', () => {
    expect(
      links('src/store/apple.ts:40, src/store/pear.ts:12, lib/src/store/apple.ts:12, src/store/apple.tsx:12'),
    ).toEqual([]);
  });

  test('may be ranges, fragments and bare paths', () => {
    expect(links('src/store/apple.ts:12-14 src/store/apple.ts#L13 src/store/apple.ts')).toEqual([
      'src/store/apple.ts:12-14 -> src/store/apple.ts:12-14',
      'src/store/apple.ts#L13 -> src/store/apple.ts:13-13',
      'src/store/apple.ts -> src/store/apple.ts:12-12',
    ]);
  });

  test('end with what was checked', () => {
    expect(links('src/store/apple.ts:20-900')).toEqual(['src/store/apple.ts:20-900 -> src/store/apple.ts:20-30']);
  });

  test('are found by the longest path', () => {
    expect(links('src/store/apple.ts:12 apple.ts:1')).toHaveLength(2);
  });

  test('may have any name', () => {
    expect(links('In a+b (c).ts:5, yes.')).toEqual(['a+b (c).ts:5 -> a+b (c).ts:5-5']);
    expect(links('lib-x/[id]-{a|b}^$?.ts:2')).toHaveLength(1);
  });

  test('leave the text as it was', () => {
    const text = 'In `src/store/apple.ts:12` and elsewhere.';
    expect(
      find(text)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text);
    expect(noPlaces(text)).toEqual([{ text }]);
  });
});
