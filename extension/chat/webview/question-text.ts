import { element } from './elements.js';
import { visibleText } from './visible-text.js';

/** A question as it was typed; what stands in backquotes is shown as code. */
export function questionPieces(question: string): (Node | string)[] {
  return visibleText(question)
    .split(/`([^`\n]+)`/)
    .map((piece, index) => (index % 2 === 1 ? element('code', { dir: 'ltr' }, piece) : piece));
}
