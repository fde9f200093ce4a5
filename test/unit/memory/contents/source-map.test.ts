import { describe, expect, it } from 'vitest';
import { type FileMap, FileMapBuilder, positionIn, SourceMap } from '../../../../server/memory/contents/source-map.js';
import type { RepositoryFile } from '../../../../server/repository/source.js';
import { TextCutter } from '../../../../server/repository/text-cutter.js';
import type { ModelTokenizer } from '../../../../server/model/tokenizer.js';
import { characterTokenizer } from '../../answer/character-tokenizer.js';
import { nano } from '../repository-under-test.js';

const fileNamed = (path: string): RepositoryFile => ({
  path,
  bytes: 0,
  modified: 0,
  hash: '',
  lines: 0,
  language: undefined,
});

/** Maps a text that is cut into segments as the stream cuts it, behind a header of some tokens. */
function mapOf(text: string, tokenizer: ModelTokenizer, begin: number, headerTokens: number): FileMap {
  const builder = new FileMapBuilder(begin);
  builder.addHeader(headerTokens);
  const cutter = new TextCutter();
  for (const cut of [...cutter.add(text), ...cutter.end()]) {
    builder.add(cut.text, tokenizer.encodeWithStarts(cut.text).starts, cut.line, cut.column);
  }
  return builder.finish(fileNamed('a.ts'));
}

/** The same by counting: the line and column of every token of the text. */
function placesByCounting(text: string, tokenizer: ModelTokenizer): { line: number; column: number }[] {
  const places: { line: number; column: number }[] = [];
  const cutter = new TextCutter();
  for (const cut of [...cutter.add(text), ...cutter.end()]) {
    for (const start of tokenizer.encodeWithStarts(cut.text).starts) {
      const before = cut.text.slice(0, start).split('\n');
      const onFirstLine = before.length === 1;
      places.push({
        line: cut.line + before.length - 1,
        column: (before.at(-1)?.length ?? 0) + (onFirstLine ? cut.column : 1),
      });
    }
  }
  return places;
}

function randomText(seed: number, length: number): string {
  const pieces = ['a', 'const value', ' ', '\n', '\n\n\n', '  return x;\n', '\t', 'äöü', '語', '🙂', '\r\n', '//'];
  let state = seed;
  let text = '';
  while (text.length < length) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    text += pieces[(state >> 8) % pieces.length] ?? '';
  }
  return text;
}

describe('the source map of a file', () => {
  it.each([
    ['characters', 1],
    ['characters', 2],
    ['the bundled model', 3],
    ['the bundled model', 4],
  ])('places every token where counting lines and columns places it: %s, text %i', async (kind, seed) => {
    const tokenizer = kind === 'characters' ? characterTokenizer() : (await nano()).tokenizer;
    const text = randomText(seed, 3000);
    const map = mapOf(text, tokenizer, 100, 5);
    const places = placesByCounting(text, tokenizer);
    expect(map.end - map.begin).toBe(places.length + 5);
    expect(places.map((_, i) => positionIn(map, 105 + i))).toEqual(places.map((place) => ({ path: 'a.ts', ...place })));
  });

  it('places tokens behind the first 64 Ki of a text, also within one long line', async () => {
    const { tokenizer } = await nano();
    const text = `${'short line\n'.repeat(3000)}${'one long line '.repeat(6000)}\nthe end\n`;
    const map = mapOf(text, tokenizer, 0, 0);
    const places = placesByCounting(text, tokenizer);
    const some = places.map((_, i) => i).filter((i) => i % 97 === 0 || i > places.length - 20);
    expect(some.map((i) => positionIn(map, i))).toEqual(some.map((i) => ({ path: 'a.ts', ...places[i] })));
  });

  it('places tokens behind one that is longer than 255 characters', () => {
    const text = `x${'='.repeat(300)}y\nz\n`;
    const builder = new FileMapBuilder(0);
    builder.add(text, Int32Array.of(0, 1, 301, 302, 303), 1, 1);
    const map = builder.finish(fileNamed('a.ts'));
    expect([0, 1, 2, 3, 4].map((i) => positionIn(map, i))).toEqual(
      [1, 2, 302, 303]
        .map((column) => ({ path: 'a.ts', line: 1, column }))
        .concat({ path: 'a.ts', line: 2, column: 1 }),
    );
  });

  it("places its header's tokens at the file's beginning", () => {
    const map = mapOf('first\nsecond\n', characterTokenizer(), 7, 3);
    expect([7, 8, 9].map((token) => positionIn(map, token))).toEqual(
      Array.from({ length: 3 }, () => ({ path: 'a.ts', line: 1, column: 1 })),
    );
  });

  it('takes one byte per token and six per line', () => {
    const text = 'twelve chars\n'.repeat(500);
    const { widths, lineTokens, firstColumns } = mapOf(text, characterTokenizer(), 0, 0);
    expect(widths.byteLength).toBe(text.length);
    expect(lineTokens.byteLength + firstColumns.byteLength).toBe(500 * 6);
  });
});

describe('the source map of a repository', () => {
  it('finds the file of a token, and none for tokens before, between and behind files', () => {
    const map = new SourceMap([
      { ...mapOf('a\n', characterTokenizer(), 10, 1), file: fileNamed('first') },
      { ...mapOf('b\n', characterTokenizer(), 13, 1), file: fileNamed('second') },
      { ...mapOf('c\n', characterTokenizer(), 20, 1), file: fileNamed('third') },
    ]);
    const pathOf = (token: number): string | undefined => map.locate(token)?.path;
    expect([9, 10, 12, 13, 15, 16, 19, 20, 22, 23].map(pathOf)).toEqual([
      undefined,
      'first',
      'first',
      'second',
      'second',
      undefined,
      undefined,
      'third',
      'third',
      undefined,
    ]);
  });
});
