import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import type { ReadProgress } from '../../../../server/contract/protocol.js';
import {
  answerForModel,
  answerMarkdown,
  coverageTexts,
  phaseText,
  placeText,
} from '../../../../extension/ask/answer-text.js';
import { english } from '../english.js';
import { resultWith } from '../language-model/results.js';

const progress: ReadProgress = {
  filesRead: 1,
  files: 9,
  tokensRead: 1000,
  bytesRead: 430,
  bytes: 1000,
  tokensPerSecond: 9000,
  secondsLeft: undefined,
};
const recalled = { path: 'src/a.ts', line: 12, endLine: 20, reason: 'name', tokens: 80, cut: 0 } as const;

describe('coverageTexts', () => {
  it('tells what was read, skipped, has changed and was read again', () => {
    const result = resultWith({
      coverage: { filesRead: 4120, tokensRead: 1, skipped: 8, changed: 2 },
      recalled: [recalled, recalled],
    });
    expect(coverageTexts(result, english)).toEqual([
      'read 4,120 of 4,128 files',
      '8 skipped',
      '2 changed since',
      'recall 2 definitions',
    ]);
  });

  it('leaves out what is not', () => {
    const result = resultWith({ coverage: { filesRead: 3, tokensRead: 1, skipped: 0, changed: 0 } });
    expect(coverageTexts(result, english)).toEqual(['read 3 of 3 files']);
  });

  it('writes numbers as the language does', () => {
    const result = resultWith({ coverage: { filesRead: 4120, tokensRead: 1, skipped: 0, changed: 0 } });
    expect(coverageTexts(result, { ...english, language: 'de' })).toEqual(['read 4.120 of 4.120 files']);
  });
});

describe('phaseText', () => {
  it('says nothing while the answer comes', () => {
    expect(phaseText({ kind: 'text', text: 'It' }, english)).toBeUndefined();
  });

  it('tells how far reading is', () => {
    expect(phaseText({ kind: 'progress', progress }, english)).toBe(
      'Reading the repository: 43 % · 1 of 9 files · 9,000 tokens/s',
    );
  });

  it.each(['waiting', 'opening', 'reading', 'answering', 'paused', 'restarting'] as const)(
    'names the phase %s',
    (phase) => {
      expect(phaseText({ kind: 'phase', phase }, english)).toMatch(/^[A-Z]/);
    },
  );
});

describe('answerMarkdown', () => {
  const targets = { place: () => 'command:locret.open', coverage: 'command:locret.coverage' };

  function html(markdown: string): string {
    return new MarkdownIt().render(markdown);
  }

  it('shows words, links, notices and coverage, each on lines of its own', () => {
    const result = resultWith({ notices: ['One thing.', 'Another.'] });
    expect(answerMarkdown(result, english).split('\n')).toEqual([
      'It is in `src/a.ts`.',
      '',
      '- src\\/a\\.ts\\:12 — first',
      '',
      '⚠ One thing.  ',
      '⚠ Another.',
      '',
      'read 412 of 420 files · 8 skipped',
    ]);
  });

  it('has no links but those of the extension, whatever the model and the paths say', () => {
    const hostile = '[a](command:b)';
    const result = resultWith({
      text: hostile,
      citations: [{ path: `${hostile}.ts`, line: 1, endLine: 1, name: hostile, from: 'answer' }],
      notices: [hostile],
    });
    const hrefs = [...html(answerMarkdown(result, english, targets)).matchAll(/href="([^"]*)"/g)].map(
      ([, href]) => href,
    );
    expect(hrefs).toEqual(['command:locret.open', 'command:locret.coverage']);
    expect(html(answerMarkdown(result, english))).not.toContain('href');
  });

  it('shows an answer without words', () => {
    expect(answerMarkdown(resultWith({ text: '', citations: [] }), english)).toBe('read 412 of 420 files · 8 skipped');
  });

  it('shows eight links at most', () => {
    const citation = { path: 'a', line: 1, endLine: 1, from: 'memory' } as const;
    const shown = answerMarkdown(resultWith({ citations: Array(20).fill(citation) }), english);
    expect(shown.match(/^- /gm)).toHaveLength(8);
  });
});

describe('placeText', () => {
  it('keeps a path with line ends on one line', () => {
    expect(placeText({ path: 'a\nb', line: 3 })).toBe('a b:3');
  });
});

describe('answerForModel', () => {
  it('gives answer, links, notices and coverage', () => {
    const text = answerForModel(resultWith({ notices: ['2 files have changed.'], recalled: [recalled] }));
    expect(text).toContain('It is in `src/a.ts`.');
    expect(text).toContain('- src/a.ts:12 first');
    expect(text).toContain('- 2 files have changed.');
    expect(text).toContain('Files read: 412; skipped: 8; changed since they were read: 0.');
    expect(text).toContain('Definitions read again for this question: 1.');
  });

  it('says that there are no words and no links', () => {
    const text = answerForModel(resultWith({ text: ' ', citations: [] }));
    expect(text).toMatch(/^The model gave no answer in words\.\n\nLinks: none\./);
  });
});
