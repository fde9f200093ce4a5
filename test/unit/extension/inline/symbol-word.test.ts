import { describe, expect, it } from 'vitest';
import { namesSomething, questionAbout } from '../../../../extension/inline/symbol-word.js';

describe('namesSomething', () => {
  it.each(['readFile', '_private', '$store', 'größe', 'T2'])('takes %s for a name', (word) => {
    expect(namesSomething(word)).toBe(true);
  });

  it.each(['return', 'Class', 'i', '', '12', 'a b', 'a-b'])('takes %j for none', (word) => {
    expect(namesSomething(word)).toBe(false);
  });
});

describe('questionAbout', () => {
  it('puts the name in backquotes, and nothing else', () => {
    expect(questionAbout('read`File')).toBe('What does `readFile` do?');
  });
});
