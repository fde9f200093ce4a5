import { describe, expect, it } from 'vitest';
import {
  lastQuestion,
  nextQuestions,
  readAnswerRecord,
  turnsOf,
  type AnswerRecord,
} from '../../../../extension/language-model/turns.js';

const record: AnswerRecord = { root: 'file:///a', question: 'Where?', answer: 'Here.', deep: false, names: ['first'] };

describe('lastQuestion', () => {
  it('takes the last user message for the question and pairs what was before', () => {
    const messages = [
      { by: 'user', text: 'rules of the chat' },
      { by: 'user', text: 'One?' },
      { by: 'assistant', text: 'Yes.' },
      { by: 'user', text: ' Two? ' },
    ] as const;
    expect(lastQuestion(messages)).toEqual({ question: 'Two?', history: [{ question: 'One?', answer: 'Yes.' }] });
  });

  it('skips messages without text', () => {
    const messages = [{ by: 'user', text: 'One?' } as const, { by: 'user', text: ' ' } as const];
    expect(lastQuestion(messages)).toEqual({ question: 'One?', history: [] });
  });

  it('finds no question in a chat that ends with an answer, or is empty', () => {
    expect(lastQuestion([])).toBeUndefined();
    expect(
      lastQuestion([
        { by: 'user', text: 'One?' },
        { by: 'assistant', text: 'Yes.' },
      ]),
    ).toBeUndefined();
  });

  it('hands on the newest twenty turns', () => {
    const messages = Array.from({ length: 50 }, (_, index) => [
      { by: 'user', text: `q${index}` } as const,
      { by: 'assistant', text: `a${index}` } as const,
    ]).flat();
    const { history = [] } = lastQuestion([...messages, { by: 'user', text: 'last' }]) ?? {};
    expect(history).toHaveLength(20);
    expect(history.at(-1)).toEqual({ question: 'q49', answer: 'a49' });
  });
});

describe('readAnswerRecord', () => {
  it('reads what was left in the history', () => {
    expect(readAnswerRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it.each([undefined, null, 'text', {}, { ...record, deep: 'yes' }, { ...record, names: 'first' }])(
    'takes %j for nothing',
    (metadata) => {
      expect(readAnswerRecord(metadata)).toBeUndefined();
    },
  );
});

describe('turnsOf', () => {
  it('takes the answered questions to one root', () => {
    const records = [record, undefined, { ...record, root: 'file:///b' }, { ...record, answer: '' }];
    expect(turnsOf(records, 'file:///a')).toEqual([{ question: 'Where?', answer: 'Here.' }]);
  });
});

describe('nextQuestions', () => {
  it('asks about a definition that the links lead to, and offers to read again', () => {
    expect(nextQuestions(record)).toEqual([
      { question: 'What does `first` do?', deep: false },
      { question: 'Where?', deep: true },
    ]);
  });

  it('offers neither what was asked already nor what was done', () => {
    expect(nextQuestions({ ...record, question: 'What does `first` do?', deep: true })).toEqual([]);
  });
});
