import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../server/answer/answer.js';
import {
  answerToJson,
  renderAnswer,
  renderFacts,
  renderLinks,
  terminalText,
} from '../../../server/cli/render-answer.js';

const answer: Answer = {
  mode: 'memory',
  text: 'It is in `a.ts`.',
  citations: [
    { path: 'src/a.ts', line: 3, endLine: 9, name: 'a', from: 'recall' },
    { path: 'README.md', line: 1, endLine: 1, from: 'answer' },
  ],
  coverage: {
    filesRead: 1234,
    tokensRead: 56789,
    skipped: [{ path: 'x.png', reason: 'binary', detail: '' }],
    changed: [],
  },
  recall: { blocks: [], tokens: 0, limit: 512, files: [] },
  timings: {
    recallSeconds: 0.1,
    firstTokenSeconds: 0.25,
    totalSeconds: 1,
    promptTokens: 40,
    answerTokens: 8,
    tokensPerSecond: 11,
  },
  memory: {
    model: 'nano',
    source: 'snapshot',
    seconds: 0.042,
    tokensRead: 56789,
    units: 4096,
    cacheBytes: 3 << 20,
    weightBytes: 1,
    policy: 'locret',
    precision: 'int8',
  },
  end: 'stop-token',
  notices: [],
};

describe('an answer in the terminal', () => {
  it('has its text, links that terminals recognise and one line of facts', () => {
    expect(renderAnswer(answer)).toBe(
      [
        'It is in `a.ts`.',
        '',
        'src/a.ts:3  a',
        'README.md:1',
        '',
        '1,234 files read, 1 skipped · 56,789 tokens, 4,096 units kept in 3.0 MB of cache · restored in 42 ms · first token after 250 ms',
        '',
      ].join('\n'),
    );
  });

  it('tells what was cut or dropped', () => {
    expect(renderAnswer({ ...answer, notices: ['Something was cut.'] })).toContain('\n! Something was cut.\n');
  });

  it('tells how many files changed since', () => {
    const coverage = { ...answer.coverage, changed: [{ path: 'a', change: 'removed' as const }] };
    expect(renderFacts({ ...answer, coverage })).toContain('1 file changed since');
  });

  it('tells that the question was read first', () => {
    const memory = { ...answer.memory, source: 'read' as const, seconds: 12 };
    expect(renderFacts({ ...answer, mode: 'deep', memory })).toContain('read with the question first in 12.0 s');
  });

  it('obeys no escape sequence of a model or a file name', () => {
    const hostile = '\u001b]0;title\u0007\u001b[2Jgone\u009b31m\u0008\u007f \u202egnp.exe\r\nnext\tcell';
    const shown = terminalText(hostile);
    expect(shown).toBe(']0;title[2Jgone31m gnp.exe\nnext\tcell');
    const citations = [{ path: 'a\u001b[31m\nb.ts', line: 1, endLine: 1, from: 'memory' as const }];
    expect(renderLinks({ ...answer, citations })).toBe('a[31m b.ts:1');
  });

  it('is the same whether the text comes whole or in pieces', () => {
    const text = 'a\u001b[31mb\u001b[0m\r\n\u2028c';
    expect([...text.matchAll(/[^]/g)].map(([sign]) => terminalText(sign)).join('')).toBe(terminalText(text));
  });

  it('is one object as JSON, with the text as `answer`', () => {
    const json: unknown = JSON.parse(JSON.stringify(answerToJson(answer)));
    expect(json).toMatchObject({
      answer: 'It is in `a.ts`.',
      citations: [{ path: 'src/a.ts', line: 3, endLine: 9 }, {}],
      coverage: { filesRead: 1234 },
      recall: { limit: 512 },
      timings: { totalSeconds: 1 },
      memory: { units: 4096 },
    });
    expect(json).not.toHaveProperty('text');
  });
});
