import { answerHeading, questionHeading } from './conversation-markdown.js';

/** Lines that can be folded; 0-based and inclusive. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** The turns, the answers and the front matter of a `*.locret.md` document. */
export function turnRanges(lines: readonly string[]): LineRange[] {
  const ranges: LineRange[] = [];
  const close = (start: number | undefined, next: number): void => {
    if (start === undefined) return;
    let end = next - 1;
    while (end > start && lines[end]?.trim() === '') end -= 1;
    if (end > start) ranges.push({ start, end });
  };
  let question: number | undefined;
  let answer: number | undefined;
  lines.forEach((line, index) => {
    if (line.startsWith(questionHeading)) {
      close(answer, index);
      close(question, index);
      question = index;
      answer = undefined;
    } else if (line.startsWith(answerHeading)) {
      close(answer, index);
      answer = index;
    }
  });
  close(answer, lines.length);
  close(question, lines.length);
  const frontMatter = lines[0] === '---' ? lines.indexOf('---', 1) : -1;
  if (frontMatter > 1) ranges.push({ start: 0, end: frontMatter });
  return ranges.sort((a, b) => a.start - b.start || b.end - a.end);
}
