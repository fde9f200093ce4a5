import { element } from './elements.js';
import { visibleText } from './visible-text.js';

/** Text that is no Markdown, such as a question: only what stands in backquotes is shown as code. */
export function textPieces(text: string): (Node | string)[] {
  return visibleText(text)
    .split(/`([^`\n]+)`/)
    .map((piece, index) => (index % 2 === 1 ? element('code', { dir: 'ltr' }, piece) : piece));
}
