import { describe, expect, test } from 'vitest';
import { pageMessageOf } from '../../../../extension/chat/page-message.js';
import type { PageMessage } from '../../../../extension/chat/messages.js';

const messages: readonly PageMessage[] = [
  { type: 'ready' },
  { type: 'ask', question: 'Where?', mode: 'deep', target: 'all' },
  { type: 'stop', turn: '1' },
  { type: 'retry', turn: '1' },
  { type: 'removeTurn', turn: '1' },
  { type: 'undo' },
  { type: 'openPlace', root: 'file:///a', path: 'b.ts', line: 1, endLine: 2 },
  { type: 'copy', text: 'a' },
  { type: 'insert', text: 'a' },
  { type: 'newFile', text: 'a', language: 'typescript' },
  { type: 'coverage', request: '1', root: 'file:///a', part: 'read' },
  { type: 'memory', action: 'pause', root: 'file:///a' },
  { type: 'command', command: 'locret.restart' },
  { type: 'target', target: 'file:///a' },
  { type: 'newConversation' },
  { type: 'listConversations', search: '' },
  { type: 'openConversation', id: 'a' },
  { type: 'renameConversation', id: 'a', name: 'b' },
  { type: 'removeConversation', id: 'a' },
];

describe('what a page sends', () => {
  test.each(messages)('$type is taken', (message) => {
    expect(pageMessageOf(message)).toEqual(message);
  });

  test('loses what the contract does not know', () => {
    expect(pageMessageOf({ type: 'undo', command: 'rm' })).toEqual({ type: 'undo' });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'ready'],
    ['a list', [{ type: 'ready' }]],
    ['an unknown type', { type: 'eval', text: 'x' }],
    ['a name of every object', { type: 'constructor' }],
    ['a command of the editor', { type: 'command', command: 'workbench.action.terminal.sendSequence' }],
    ['an action that is none', { type: 'memory', action: 'delete', root: 'file:///a' }],
    ['a line that is none', { type: 'openPlace', root: 'a', path: 'b', line: 1.5, endLine: 2 }],
    ['a path that is no text', { type: 'openPlace', root: 'a', path: { toString: () => 'b' }, line: 1, endLine: 2 }],
    ['an endless question', { type: 'ask', question: 'x'.repeat(300_000), mode: 'memory', target: 'all' }],
    ['a missing field', { type: 'ask', question: 'x' }],
  ])('%s is ignored', (_, value) => {
    expect(pageMessageOf(value)).toBeUndefined();
  });
});
