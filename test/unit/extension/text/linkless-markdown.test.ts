import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import {
  escapeMarkdown,
  linklessMarkdown,
  LinklessStream,
  visibleText,
} from '../../../../extension/text/linkless-markdown.js';

const renderer = new MarkdownIt({ linkify: true, html: true });

function rendered(markdown: string): string {
  return renderer.render(markdown);
}

/** Pieces that mean something to Markdown, in any order. */
const pieces = [
  '`',
  '``',
  '```',
  '\n',
  '\n\n',
  '[a](b)',
  '<b>',
  '![i](j)',
  'https://x.org',
  '- ',
  '> ',
  '\\',
  'a ',
  '~~~',
];

/** The same pseudo-random sequence in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; state = (state * 48_271) % 2_147_483_647) yield state;
}

function* randomTexts(count: number): Generator<string> {
  const random = numbers(7);
  for (let text = 0; text < count; text++) {
    let result = '';
    for (let piece = 0; piece < 9; piece++) result += pieces[Number(random.next().value) % pieces.length] ?? '';
    yield result;
  }
}

describe('linklessMarkdown', () => {
  it.each([
    '[open](command:workbench.action.quit)',
    '![picture](https://example.org/track.png)',
    '<command:evil>',
    'see https://example.org/a and www.example.org or me@example.org',
    '[a][b]\n\n[b]: file:///etc/passwd',
    'an unclosed ` span [a](command:b)\n\nand [c](command:d)',
    '\\[a](b) \\\\[c](d)',
    '- `one\n- two [a](b) `',
    '<img src=x onerror=alert(1)>',
  ])('makes nothing of %j that can be followed', (markdown) => {
    expect(rendered(linklessMarkdown(markdown))).not.toMatch(/<(?:a|img|b)\b/);
  });

  it('makes nothing that can be followed of 3,000 texts put together at random', () => {
    for (const text of randomTexts(3000))
      expect(rendered(linklessMarkdown(text)), JSON.stringify(text)).not.toMatch(/<(?:a|img|b)\b/);
  });

  it('shows the text of what it disarms', () => {
    expect(rendered(linklessMarkdown('[a](b) <b> https://x.org'))).toBe('<p>[a](b) &lt;b&gt; https://x.org</p>\n');
  });

  it('leaves emphasis, lists, code spans and fenced code as they are', () => {
    const markdown = '**Bold** and `a[0] < b`\n\n- one\n- two\n\n```ts\nconst a = [1](b) <c>;\n```\n';
    expect(linklessMarkdown(markdown)).toBe(markdown);
  });

  it('takes a fence in a list item for code, at the beginning of the line', () => {
    expect(linklessMarkdown('1. First\n   ```ts\n   a[0]\n     b\n   ```\n')).toBe('1. First\n```ts\na[0]\n  b\n```\n');
  });

  it('closes a fence that is left open', () => {
    expect(linklessMarkdown('```ts\na[0]')).toBe('```ts\na[0]\n```');
  });

  it('shows backticks that close nothing as they stand, without a backtick', () => {
    const shown = linklessMarkdown('in `a/b and ``c|d``');
    expect(shown).not.toContain('`');
    expect(rendered(shown)).toBe('<p>in `a/b and ``c|d``</p>\n');
  });

  it('drops signs that are not seen', () => {
    expect(linklessMarkdown('a\u202Eb\u0007c\td')).toBe('abc\td');
    expect(visibleText('a\u2066\nb')).toBe('a\nb');
  });

  it('lets each state of a growing text begin with the one before', () => {
    for (const text of randomTexts(300)) {
      const whole = linklessMarkdown(text);
      let before = '';
      for (let length = 0; length <= text.length; length++) {
        const now = linklessMarkdown(text.slice(0, length), false);
        expect(now.startsWith(before), JSON.stringify([text.slice(0, length), before, now])).toBe(true);
        before = now;
      }
      expect(whole.startsWith(before), JSON.stringify([text, before, whole])).toBe(true);
    }
  });

  it('shows text as soon as its meaning is certain', () => {
    expect(linklessMarkdown('It is in `a` and `b', false)).toBe('It is in `a` and ');
    expect(linklessMarkdown('```ts\nconst a', false)).toBe('```ts\nconst a');
  });
});

describe('LinklessStream', () => {
  it('gives in pieces what the whole text gives at once', () => {
    const text = 'See `a[0]` and [b](c):\n\n```ts\nconst d = [1];\n```\nand `e';
    const stream = new LinklessStream();
    const pieces = text.split(/(?<=.)/s).map((sign) => stream.push(sign));
    expect(pieces.join('') + stream.end()).toBe(linklessMarkdown(text));
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(30);
  });
});

describe('escapeMarkdown', () => {
  it('shows a text with every sign of Markdown as it stands', () => {
    expect(renderer.renderInline(escapeMarkdown('a_b*[c](d) `e` #f <g>\n\th'))).toBe('a_b*[c](d) `e` #f &lt;g&gt; h');
  });
});
