import { describe, expect, it } from 'vitest';
import { JsonReader } from '../../../server/contract/json.js';
import {
  listOf,
  megabytes,
  name,
  number,
  share,
  text,
  wholeNumber,
  word,
  type Kind,
} from '../../../server/contract/kinds.js';

function readerOf(value: unknown, called = ''): JsonReader {
  return new JsonReader(value, (place, _, { expected }) => new Error(`${place}: ${expected}`), { name: called });
}

describe('JsonReader', () => {
  it('names the place of a value that does not fit, however deep', () => {
    const reader = readerOf({ turns: [{ line: 1 }, { link: { line: 0 } }] }, 'file');
    expect(() => reader.list('turns', (turn) => turn.findObject('link', (link) => link.line('line')))).toThrow(
      'file.turns[1].link.line: a line number from 1',
    );
  });

  it('names fields alone where the outermost object has no name', () => {
    expect(() =>
      readerOf({ options: { seed: 'x' } })
        .object('options')
        .count('seed'),
    ).toThrow('options.seed: a number');
  });

  it('takes null for left out', () => {
    const reader = readerOf({ model: null });
    expect(reader.has('model')).toBe(false);
    expect(reader.find('model', text)).toBeUndefined();
    expect(() => reader.get('model', text)).toThrow('model: a text');
  });

  it('reads no field that an object only inherits', () => {
    expect(readerOf({}).value('constructor')).toBeUndefined();
  });

  it.each([[[]], ['text'], [undefined]])('refuses %j as an object', (value) => {
    expect(() => readerOf(value, 'message')).toThrow('message: an object');
    expect(() => readerOf({ inner: value }).object('inner')).toThrow('inner: an object');
  });

  it('refuses texts and lists that are too long', () => {
    const reader = readerOf({ id: 'abcd', list: [{}, {}] });
    expect(reader.text('id', 4)).toBe('abcd');
    expect(() => reader.text('id', 3)).toThrow('id: a text of at most 3 characters');
    expect(() => reader.list('list', (item) => item, 1)).toThrow('list: a list of at most 1');
  });
});

describe('a kind of values', () => {
  it.each<[Kind<unknown>, unknown, unknown]>([
    [text, '', ''],
    [name, ' nano ', 'nano'],
    [name, ' ', undefined],
    [number(0, 5), 5, 5],
    [number(0, 5), 5.1, undefined],
    [number(0), NaN, undefined],
    [number(0), Infinity, undefined],
    [number(0), '1', undefined],
    [wholeNumber(1), 1, 1],
    [wholeNumber(1), 1.5, undefined],
    [wholeNumber(1), 2 ** 53, undefined],
    [share, 0, undefined],
    [share, 1, 1],
    [megabytes(0.001, 1024), 2, 2 * 1024 * 1024],
    [megabytes(0.001, 1024), 0, undefined],
    [word(['a', 'b']), 'b', 'b'],
    [word(['a', 'b']), 'c', undefined],
    [listOf(wholeNumber(1), 'numbers'), [1, 2], [1, 2]],
    [listOf(wholeNumber(1), 'numbers'), [1, 'x'], undefined],
    [listOf(wholeNumber(1), 'numbers'), 'x', undefined],
  ])('$expected takes %j as %j', (kind, value, taken) => {
    expect(kind.accept(value)).toEqual(taken);
  });
});
