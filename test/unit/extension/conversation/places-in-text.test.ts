import { expect, test } from 'vitest';
import { placesInText } from '../../../../extension/conversation/places-in-text.js';

function found(text: string): string[] {
  return placesInText(text).map(({ start, end, path, line }) => `${path}:${line} as ${text.slice(start, end)}`);
}

test('links and bare places are found, in order', () => {
  expect(found('In src/a.ts:3, see [src/b c.ts:7](src/b%20c.ts#L7) and `lib/d.ts:12`.')).toEqual([
    'src/a.ts:3 as src/a.ts:3',
    'src/b c.ts:7 as [src/b c.ts:7](src/b%20c.ts#L7)',
    'lib/d.ts:12 as lib/d.ts:12',
  ]);
});

test('a link is one place, whatever its label says', () => {
  expect(found('[x.ts:1](y.ts#L2-L4)')).toEqual(['y.ts:2 as [x.ts:1](y.ts#L2-L4)']);
});

test('addresses, line 0 and broken encodings are none', () => {
  expect(found('http://localhost:8080 a.ts:0 [a](%E0%A4%A#L1) https://x.y/z.ts:3')).toEqual([]);
});

test('a text of places alone does not take forever', () => {
  expect(placesInText('a/b.ts:1 '.repeat(5000))).toHaveLength(2000);
  expect(placesInText(`${'['.repeat(50_000)}a.ts:1`)).toHaveLength(1);
});
