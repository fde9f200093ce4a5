import { describe, expect, it } from 'vitest';
import { readQuery } from '../../../server/search/query.js';

const namesOf = (text: string): string[] => readQuery(text).names.map(({ form, text: name }) => `${form} ${name}`);

describe('the names of a query', () => {
  it.each([
    ['Where is `url_for` defined?', ['quoted url_for']],
    ['What does Flask.dispatch_request() return?', ['code Flask.dispatch_request']],
    ['--max-retries', ['quoted --max-retries']],
    ['What is the default of --max-retries?', ['code --max-retries']],
    ['Disaster Recovery', ['quoted Disaster Recovery', 'word Disaster', 'word Recovery']],
    ['Where is the class Blueprint defined?', ['word Blueprint']],
    ['Where is get defined?', ['word get']],
    ['How are cookies signed before they are sent?', []],
    ["What is the app's name?", ['word app']],
  ])('%s', (text, names) => {
    expect(namesOf(text)).toEqual(names);
  });

  it('have the line of a path', () => {
    expect(readQuery('what is in lib/response.js:141').names[0]).toEqual({
      text: 'lib/response.js',
      form: 'code',
      line: 141,
    });
  });
});

describe('what a query asks for', () => {
  it.each([
    ['Who calls poll_gauge?', 'uses'],
    ['Where is poll_gauge used?', 'uses'],
    ['callers of poll_gauge', 'uses'],
    ['Where are the tests for blueprints?', 'tests'],
    ['What is in the folder docs?', 'folder'],
  ] as const)('%s', (text, asked) => {
    expect(readQuery(text).asks[asked]).toBe(true);
  });

  it('is not its uses where a long question only speaks of calls', () => {
    const text =
      'Where in the pipeline is the decoding method for byte sequence tags called while values are untagged?';
    expect(readQuery(text).asks.uses).toBe(false);
  });

  it('is cut where somebody pastes a book', () => {
    expect(readQuery('word '.repeat(100_000)).text.length).toBeLessThan(10_000);
  });
});
