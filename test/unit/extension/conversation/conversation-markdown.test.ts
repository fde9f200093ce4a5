import { describe, expect, test } from 'vitest';
import { conversationToMarkdown, fileNameOf } from '../../../../extension/conversation/conversation-markdown.js';
import type { RootAnswer } from '../../../../extension/conversation/conversation.js';
import { placesInText } from '../../../../extension/conversation/places-in-text.js';
import { answered, api, conversationOf, orchard, turnOf } from './example-conversations.js';

const exported = new Date(Date.UTC(2026, 10, 26, 12));

describe('the exported document', () => {
  test('tells what was asked, answered, and read', () => {
    const conversation = conversationOf(turnOf('Where is `openLedger`?', answered('In `src/ledger.ts:8`.')));
    expect(conversationToMarkdown(conversation, exported)).toBe(`---
locret: 1
repository: "orchard"
model: "nano"
first-question: 2026-11-24T00:00:00.000Z
last-question: 2026-11-24T00:00:00.000Z
exported: 2026-11-26T12:00:00.000Z
files-read: 412
---

# Where is openLedger?

## Question

Where is \`openLedger\`?

### Answer

In \`src/ledger.ts:8\`.

- [src/ledger.ts:8](src/ledger.ts#L8) openLedger

> read 412 of 420 files · 8 skipped · 2 changed since · recall 2 definitions
`);
  });

  test('names the root before each path when several were asked', () => {
    const conversation = conversationOf(turnOf('Where?', answered('Here.'), answered('There.', {}, api)));
    const text = conversationToMarkdown(conversation, exported);
    expect(text).toContain('### Answer from orchard');
    expect(text).toContain('[orchard/src/ledger.ts:8](orchard/src/ledger.ts#L8)');
    expect(text).toContain('[api/src/ledger.ts:8](api/src/ledger.ts#L8)');
    expect(text).toContain('repository: "orchard, api"');
  });

  test('says how an answer ended that is none', () => {
    const failed: RootAnswer = {
      root: orchard,
      text: '',
      state: 'failed',
      code: 'x',
      message: 'No *memory*.',
      remedy: '',
    };
    const stopped: RootAnswer = { root: orchard, text: 'half', state: 'stopped', by: 'user' };
    const text = conversationToMarkdown(conversationOf(turnOf('a', failed), turnOf('b', stopped)), exported);
    expect(text).toContain('> not answered: No \\*memory\\*.');
    expect(text).toContain('half\n\n> stopped');
  });

  test('marks deep questions and keeps notices as one line each', () => {
    const turn = {
      ...turnOf('a', answered('b', { notices: ['Cut\nin two.', 'A <b>bold</b> `one_1`.'] })),
      mode: 'deep' as const,
    };
    const text = conversationToMarkdown(conversationOf(turn), exported);
    expect(text).toContain('## Question (deep)');
    expect(text).toContain('> note: Cut in two.');
    expect(text).toContain('> note: A \\<b\\>bold\\</b\\> `one_1`.');
  });

  test('does not take what a model writes for its own headings', () => {
    const text = conversationToMarkdown(
      conversationOf(turnOf('a', answered('x\n## Question\ny\n### Answer'))),
      exported,
    );
    expect(text.match(/^## Question/gm)).toHaveLength(1);
    expect(text.match(/^### Answer/gm)).toHaveLength(1);
  });

  test('links every path, however it is called, back to the same file', () => {
    const paths = ['a (b).ts', 'ü/[x].ts', 'with space/#1.ts', "it's.ts", 'per%20cent.ts', 'new\nline.ts', '_a_*b*.ts'];
    const citations = paths.map((path) => ({ path, line: 3, endLine: 3, from: 'recall' as const }));
    const text = conversationToMarkdown(conversationOf(turnOf('a', answered('b', { citations }))), exported);
    const links = placesInText(text).filter(({ start }) => text.startsWith('[', start));
    expect(links.map(({ path }) => path)).toEqual(paths);
  });

  test('shows no signs that turn the direction of text', () => {
    const citations = [{ path: 'a\u202Ets.exe', line: 1, endLine: 1, name: 'x\u2066y', from: 'recall' as const }];
    const text = conversationToMarkdown(conversationOf(turnOf('a', answered('b', { citations }))), exported);
    expect(text).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  });
});

describe('the name of its file', () => {
  test('comes from the title', () => {
    expect(fileNameOf(conversationOf(turnOf('Where is `openLedger` (Ägypten)?')))).toBe(
      'where-is-openledger-a-gypten.locret.md',
    );
  });

  test('is never empty and never leaves the folder', () => {
    expect(fileNameOf(conversationOf(turnOf('???')))).toBe('conversation.locret.md');
    expect(fileNameOf(conversationOf(turnOf('../../etc/passwd')))).toBe('etc-passwd.locret.md');
  });
});
