import { describe, expect, it } from 'vitest';
import { foundLines, movedLines, selectedText, type Edit } from '../../../../extension/inline/thread-lines.js';

/** An edit between two positions written as `line:character`, 0-based as VS Code has them. */
function edit(start: string, end: string, text: string): Edit {
  const [startLine = 0, startCharacter = 0] = start.split(':').map(Number);
  const [endLine = 0, endCharacter = 0] = end.split(':').map(Number);
  return { startLine, startCharacter, endLine, endCharacter, text };
}

describe('movedLines', () => {
  const lines = { line: 5, endLine: 8 };

  it.each([
    ['a line added above', edit('1:0', '1:0', 'x\n'), 6, 9],
    ['a line added right above, before its first sign', edit('4:0', '4:0', 'x\r\n'), 6, 9],
    ['two lines removed above', edit('1:0', '3:0', ''), 3, 6],
    ['typing on its first line', edit('4:3', '4:3', 'abc'), 5, 8],
    ['a line added within', edit('5:2', '5:2', '\n'), 5, 9],
    ['a line removed within', edit('5:0', '6:0', ''), 5, 7],
    ['something below', edit('9:0', '12:0', ''), 5, 8],
    ['a line added right below', edit('8:0', '8:0', 'x\n'), 5, 8],
    ['the text above joined with it', edit('3:4', '4:0', ''), 4, 7],
    ['everything removed', edit('2:0', '10:0', ''), 3, 3],
    ['everything replaced', edit('2:0', '10:0', 'a\nb\n'), 3, 3],
  ])('%s', (_, change, line, endLine) => {
    expect(movedLines(lines, change)).toEqual({ line, endLine });
  });
});

describe('foundLines', () => {
  const lines = ['a', '}', 'b', 'f() {', '  c', '}', 'f() {', 'z'];

  it('stays where the line still is', () => {
    expect(foundLines(lines, { line: 4, endLine: 6, firstLine: 'f() {' })).toEqual({ line: 4, endLine: 6 });
  });

  it('goes to the nearest line of that text, and takes the others along', () => {
    expect(foundLines(lines, { line: 2, endLine: 4, firstLine: 'f() {' })).toEqual({ line: 4, endLine: 6 });
    expect(foundLines(lines, { line: 8, endLine: 9, firstLine: 'f() {' })).toEqual({ line: 7, endLine: 8 });
    expect(foundLines(lines, { line: 400, endLine: 401, firstLine: 'a' })).toEqual({ line: 1, endLine: 2 });
  });

  it('stays in the document when the line is gone', () => {
    expect(foundLines(lines, { line: 3, endLine: 4, firstLine: 'gone' })).toEqual({ line: 3, endLine: 4 });
    expect(foundLines(lines, { line: 40, endLine: 44, firstLine: 'gone' })).toEqual({ line: 8, endLine: 8 });
    expect(foundLines([], { line: 3, endLine: 4, firstLine: 'gone' })).toEqual({ line: 1, endLine: 1 });
  });
});

describe('selectedText', () => {
  it('takes the lines as they are', () => {
    expect(selectedText(['a', 'b', 'c', 'd'], { line: 2, endLine: 3 })).toEqual({ text: 'b\nc', endLine: 3 });
  });

  it('ends with the document', () => {
    expect(selectedText(['a', 'b'], { line: 2, endLine: 9 })).toEqual({ text: 'b', endLine: 2 });
  });

  it('ends with whole lines where it becomes too much', () => {
    const many = Array.from({ length: 3000 }, () => 'x');
    expect(selectedText(many, { line: 1, endLine: 3000 }).endLine).toBe(1000);
    const long = Array.from({ length: 10 }, () => 'y'.repeat(30_000));
    expect(selectedText(long, { line: 1, endLine: 10 })).toEqual({ text: `${long[0]}\n${long[0]}`, endLine: 2 });
    expect(selectedText(['z'.repeat(100_000), 'a'], { line: 1, endLine: 2 })).toEqual({
      text: 'z'.repeat(64_000),
      endLine: 1,
    });
  });
});
