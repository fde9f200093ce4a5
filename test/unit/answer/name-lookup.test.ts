import { describe, expect, it } from 'vitest';
import { NameIndex, wordsOfName } from '../../../server/answer/name-index.js';
import { lookUpNames } from '../../../server/answer/name-lookup.js';
import type { Definition, RepositoryFile } from '../../../server/repository/source.js';
import { outlineOf, project } from './fixture-memory.js';

const file = (path: string): RepositoryFile => ({
  path,
  bytes: 1,
  modified: 0,
  hash: '',
  lines: 1,
  language: undefined,
});

function indexOf(sources: Readonly<Record<string, string>>, more: readonly Definition[] = []): NameIndex {
  const definitions = [...Object.entries(sources).flatMap(([path, text]) => outlineOf(path, text)), ...more];
  const files = Object.keys(sources).map(file);
  return NameIndex.of({ survey: { root: '/', name: '', files, skipped: [], bytes: 0 }, definitions });
}

const index = indexOf(project);

function found(question: string, previous?: string): string[] {
  return lookUpNames(index, question, previous).places.map(
    ({ path, definition, line, reason }) => `${path}:${definition?.nameLine ?? line ?? 1} ${reason}`,
  );
}

describe('looking names up', () => {
  it('finds an exact name, the source before the test of the same name', () => {
    expect(found('Where is `retainTopUnits` defined?')).toEqual([
      'src/eviction.ts:4 name',
      'test/eviction.test.ts:1 name',
    ]);
  });

  it.each(['Where is RETAINTOPUNITS?', 'Where is `retain_top_units`?', 'find retaintopunits'])(
    'finds a name that differs in case or signs: %s',
    (question) => {
      expect(found(question)[0]).toBe('src/eviction.ts:4 similar-name');
    },
  );

  it.each(['How does it retain the top units?', 'How are the top units retained?', 'where is `retainTopUnit`'])(
    'finds a name by its words: %s',
    (question) => {
      expect(found(question)[0]).toBe('src/eviction.ts:4 similar-name');
    },
  );

  it('takes a qualified name for the method of that class', () => {
    expect(found('What does `Channel.close` return?')[0]).toBe('src/store.ts:12 name');
    expect(found('What does `SnapshotStore.close` return?')[0]).toBe('src/store.ts:6 name');
  });

  it('lets a class or file that is named too decide between methods of one name', () => {
    expect(found('What does the method `close` of `Channel` return?')[0]).toBe('src/store.ts:12 name');
    expect(found('What does `retainTopUnits` in `test/eviction.test.ts` do?')[0]).toBe('test/eviction.test.ts:1 name');
  });

  it('finds files by path, by the end of a path, and the line asked for', () => {
    expect(found('What is in src/order.ts?')).toEqual(['src/order.ts:1 path']);
    expect(found('What is in `order.ts`?')).toEqual(['src/order.ts:1 path']);
    expect(found('Explain src/store.ts:12')).toEqual(['src/store.ts:12 path']);
  });

  it('takes a plain word for a name only if something is called so', () => {
    expect(found('What does order do?')).toEqual(['src/order.ts:2 name']);
    expect(found('What is the weather like?')).toEqual([]);
  });

  it('takes a plain word among others for a hint only', () => {
    expect(found('In which order are things opened?')).toEqual(['src/order.ts:2 similar-name']);
    expect(found('In which order does `close` come?')[0]).toBe('src/store.ts:6 name');
  });

  it('finds a file whose name is made of words of the question, before plain words', () => {
    const more = indexOf({ ...project, 'src/unit-order.ts': '' });
    const places = lookUpNames(more, 'How is the order of the units found?').places;
    expect(places.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      'src/unit-order.ts similar-name',
      'src/order.ts similar-name',
    ]);
  });

  it('takes a file for meant by its name without extension', () => {
    expect(found('Explain the readme')).toEqual(['README.md:1 path']);
  });

  it('reports names that nothing is called', () => {
    expect(lookUpNames(index, 'Where is `evictEverything` defined?')).toEqual({
      places: [],
      unknown: ['evictEverything'],
    });
  });

  it('does not report prose that nothing is called', () => {
    expect(lookUpNames(index, 'Does it print "no such file" and/or use TCP/IP, e.g. as Node.js?').unknown).toEqual([]);
  });

  it('goes back to the question before when this one names nothing', () => {
    expect(found('And what does it return?', 'Where is `order` defined?')).toEqual(['src/order.ts:2 earlier-turn']);
  });

  it('prefers definitions to fields of the same name', () => {
    const field: Definition = {
      name: 'order',
      kind: 'field',
      path: 'a.ts',
      line: 1,
      endLine: 1,
      nameLine: 1,
      container: 'A',
    };
    const places = lookUpNames(indexOf(project, [field]), 'Where is `order`?').places;
    expect(places.map(({ path }) => path)).toEqual(['src/order.ts', 'a.ts']);
  });

  it('is not confused by names that objects inherit', () => {
    expect(found('What does `constructor` or `__proto__` or toString do?')).toEqual([]);
  });
});

describe('the words of a name', () => {
  it.each([
    ['retainTopUnits', ['retain', 'top', 'unit']],
    ['RETAIN_TOP_UNITS', ['retain', 'top', 'unit']],
    ['HTTPServer2', ['http', 'server', '2']],
    ['snapshotting', ['snapshot']],
  ])('of %s are %j', (name, words) => {
    expect(wordsOfName(name)).toEqual(words);
  });
});
