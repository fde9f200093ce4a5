import { describe, expect, test } from 'vitest';
import { historyOf, titleOf } from '../../../../extension/conversation/conversation.js';
import { answered, api, conversationOf, orchard, turnOf } from './example-conversations.js';

describe('the title', () => {
  test('is the first question on one line, without backquotes', () => {
    expect(titleOf(conversationOf(turnOf('Where is\n  `openLedger`?')))).toBe('Where is openLedger?');
  });

  test('is cut between whole signs', () => {
    const title = titleOf(conversationOf(turnOf(`${'a'.repeat(78)}😀 and more`)));
    expect(title).toBe(`${'a'.repeat(78)}…`);
  });

  test('is the name that the user gave', () => {
    expect(titleOf({ ...conversationOf(turnOf('Where?')), name: 'Ledger' })).toBe('Ledger');
  });

  test('is empty while nothing was asked', () => {
    expect(titleOf(conversationOf())).toBe('');
  });
});

describe('the history of a question', () => {
  const first = { ...turnOf('first', answered('one'), answered('one of api', {}, api)), id: '1' };
  const stopped = { ...turnOf('stopped', { root: orchard, text: 'half', state: 'stopped', by: 'user' }), id: '2' };
  const second = { ...turnOf('second', answered('two')), id: '3' };
  const third = { ...turnOf('third', answered('three')), id: '4' };
  const turns = [first, stopped, second, third];

  test('is what the same root answered before it', () => {
    expect(historyOf(turns, '4', orchard.uri)).toEqual([
      { question: 'first', answer: 'one' },
      { question: 'second', answer: 'two' },
    ]);
    expect(historyOf(turns, '4', api.uri)).toEqual([{ question: 'first', answer: 'one of api' }]);
  });

  test('ends before a question that is asked again', () => {
    expect(historyOf(turns, '3', orchard.uri)).toEqual([{ question: 'first', answer: 'one' }]);
  });

  test('is the newest twenty of many', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ ...turnOf(`${index}`, answered('a')), id: `${index}` }));
    expect(historyOf(many, '49', orchard.uri)).toHaveLength(20);
    expect(historyOf(many, '49', orchard.uri).at(-1)?.question).toBe('48');
  });
});
