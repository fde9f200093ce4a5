import { describe, expect, it } from 'vitest';
import { foldName, partsOf, stem, termsOf } from '../../../server/search/words.js';

describe('the parts of a name', () => {
  it.each([
    ['readHTTPBody2', ['read', 'http', 'body', '2']],
    ['hash-max-entries', ['hash', 'max', 'entries']],
    ['__init__', ['init']],
    ['GRÖSSE_berechnen', ['grösse', 'berechnen']],
    ['IOError', ['io', 'error']],
  ])('%s', (name, parts) => {
    expect(partsOf(name)).toEqual(parts);
  });
});

describe('the terms of a word', () => {
  it('are the stems of its parts and the whole of it', () => {
    expect(termsOf('retainTopUnits')).toEqual(['retain', 'top', 'unit', 'retaintopunits']);
  });

  it('are the same however a name is written', () => {
    expect(termsOf('retain_top_units')).toEqual(termsOf('RetainTopUnits'));
    expect(foldName('retain-top_units')).toBe(foldName('retainTopUnits'));
  });

  it('are pairs of characters where words are not parted', () => {
    expect(termsOf('漢字仮名')).toEqual(['漢字', '字仮', '仮名']);
  });
});

it('a stem is the same for the forms of a word, and never short', () => {
  expect(new Set(['register', 'registers', 'registered', 'registering'].map(stem)).size).toBeLessThanOrEqual(2);
  expect(stem('uses')).toBe('uses');
});
