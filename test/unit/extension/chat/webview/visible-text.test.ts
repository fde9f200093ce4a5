import { expect, test } from 'vitest';
import { visibleLine, visibleText } from '../../../../../extension/chat/webview/visible-text.js';

test('signs that turn the direction of text, and control signs, are seen', () => {
  expect(visibleText('a\u202Eb\u2066c\u0007d\u001B[31m')).toBe('a\uFFFDb\uFFFDc\uFFFDd\uFFFD[31m');
});

test('lines and tabs stay in a text, and are seen in a line', () => {
  expect(visibleText('a\n\tb')).toBe('a\n\tb');
  expect(visibleLine('a\n\tb')).toBe('a\uFFFD\uFFFDb');
});

test('scripts that run from right to left stay as they are', () => {
  expect(visibleText('שלום مرحبا')).toBe('שלום مرحبا');
});
