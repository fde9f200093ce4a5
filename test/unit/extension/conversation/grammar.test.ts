import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conversationToMarkdown } from '../../../../extension/conversation/conversation-markdown.js';
import type { RootAnswer } from '../../../../extension/conversation/conversation.js';
import { ObjectReader } from '../../../../extension/conversation/object-reader.js';
import { answered, api, conversationOf, orchard, turnOf } from './example-conversations.js';

const file = new URL('../../../../syntaxes/locret-conversation.tmLanguage.json', import.meta.url);
const rules = new ObjectReader(JSON.parse(readFileSync(file, 'utf8')), 'grammar').object('repository');

function matches(rule: string, line: string): RegExpExecArray | null {
  const reader = rules.object(rule);
  return new RegExp(reader.text(reader.has('match') ? 'match' : 'begin')).exec(line);
}

const failed: RootAnswer = { root: orchard, text: '', state: 'failed', code: 'x', message: 'Full.', remedy: '' };
const stopped: RootAnswer = { root: api, text: '', state: 'stopped', by: 'user' };
const deep = { ...turnOf('a', answered('b', { notices: ['Cut.'] }), failed, stopped), mode: 'deep' as const };
const lines = conversationToMarkdown(conversationOf(deep), new Date(0)).split('\n');

function linesOf(rule: string): string[] {
  return lines.filter((line) => matches(rule, line) !== null);
}

test('the grammar knows every kind of line that an export writes', () => {
  expect(linesOf('question')).toEqual(['## Question (deep)']);
  expect(linesOf('answer')).toEqual(['### Answer from orchard', '### Answer from orchard', '### Answer from api']);
  expect(linesOf('link')).toEqual(['- [orchard/src/ledger.ts:8](orchard/src/ledger.ts#L8) openLedger']);
  expect(linesOf('coverage')).toEqual([
    '> read 412 of 420 files · 8 skipped · 2 changed since · recall 2 definitions  ',
    '> note: Cut.',
    '> not answered: Full.',
    '> stopped',
  ]);
});

test('a place in running text is told from a time and an address', () => {
  expect(matches('place', 'In src/store/apple.ts:12.')?.[0]).toBe('src/store/apple.ts:12');
  expect(matches('place', 'Makefile:3')?.[0]).toBe('Makefile:3');
  expect(matches('place', 'at 12:30')).toBeNull();
  expect(matches('place', 'http://localhost:8080')).toBeNull();
});
