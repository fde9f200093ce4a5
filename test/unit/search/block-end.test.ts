import { describe, expect, it } from 'vitest';
import { endOfBlock } from '../../../server/search/block-end.js';

/** The text of the block that begins in the first line. */
function block(text: string): string[] {
  const lines = text.split('\n');
  return lines.slice(0, endOfBlock(lines, 0) + 1);
}

describe('a block', () => {
  it.each([
    ['by braces', 'function f() {\n  a\n\n  b\n}\nnext', 5],
    [
      'by braces on lines of their own, with margins',
      'int f()\n{\n  a;\n#ifdef B\n  b;\n#endif\nout:\n  c;\n}\nnext',
      9,
    ],
    ['by indentation', 'def f(\n    a,\n):\n    b\n\n\nnext', 4],
    ['with branches', 'if (a) {\n  b\n} else {\n  c\n}\nnext', 5],
    ['ended by a word', 'def f\n  a\nend\nnext', 3],
    ['of one line', 'a = 1\nb = 2', 1],
  ])('%s', (_, text, lines) => {
    expect(block(text)).toHaveLength(lines);
  });
});
