import { describe, expect, test } from 'vitest';
import {
  conversationFromJson,
  conversationToJson,
  NewerFile,
} from '../../../../extension/conversation/conversation-file.js';
import type { RootAnswer } from '../../../../extension/conversation/conversation.js';
import { UnexpectedShape } from '../../../../extension/conversation/object-reader.js';
import { answered, conversationOf, orchard, turnOf } from './example-conversations.js';

const failed: RootAnswer = {
  root: orchard,
  text: '',
  state: 'failed',
  code: 'disk-full',
  message: 'Full.',
  remedy: 'Free.',
};
const elsewhere: RootAnswer = { root: orchard, text: 'inline', state: 'answered' };

describe('a conversation in a file', () => {
  test('comes back as it was', () => {
    const conversation = {
      ...conversationOf(turnOf('a', answered('text', { notices: ['Cut.'] }), failed), turnOf('b', elsewhere)),
      name: 'Ledger',
    };
    expect(conversationFromJson(conversationToJson(conversation))).toEqual(conversation);
  });

  test('keeps the text of an answer that was running, as interrupted', () => {
    const running: RootAnswer = { root: orchard, text: 'half', state: 'running', phase: 'answering' };
    const [turn] = conversationFromJson(conversationToJson(conversationOf(turnOf('a', running)))).turns;
    expect(turn?.answers).toEqual([{ root: orchard, text: 'half', state: 'stopped', by: 'interrupted' }]);
  });

  test('of a newer version is told from one that is broken', () => {
    const text = conversationToJson(conversationOf()).replace('"version":1', '"version":2');
    expect(() => conversationFromJson(text)).toThrow(NewerFile);
  });

  test.each([
    ['no object', '[]', 'conversation: expected an object'],
    ['no list of turns', '{"version":1,"id":"a","created":0,"changed":0,"turns":{}}', 'turns: expected a list'],
    [
      'a line 0',
      conversationToJson(conversationOf(turnOf('a', answered('t')))).replace('"line":8', '"line":0'),
      'line',
    ],
    [
      'an unknown state',
      conversationToJson(conversationOf(turnOf('a', failed))).replace('"failed"', '"exploded"'),
      'state: expected running or',
    ],
    ['a number as a question', conversationToJson(conversationOf(turnOf('a'))).replace('"a"', '7'), 'question'],
  ])('with %s is refused, with the place named', (_, text, message) => {
    expect(() => conversationFromJson(text)).toThrow(UnexpectedShape);
    expect(() => conversationFromJson(text)).toThrow(message);
  });
});
