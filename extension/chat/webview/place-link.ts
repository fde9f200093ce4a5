import type { Citation } from '../../../server/contract/protocol.js';
import { send } from './extension-link.js';
import { element, icon } from './elements.js';
import { l10n } from './localization.js';
import { visibleLine } from './visible-text.js';

interface Place {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
}

/** A link, with any content, that opens a place of a root. */
export function placeLink(
  root: string,
  { path, line, endLine }: Place,
  className: string,
  ...content: (Node | string)[]
): HTMLButtonElement {
  const title = l10n.t('Open {0} at line {1}', visibleLine(path), line);
  const link = element('button', { type: 'button', class: className, title, dir: 'ltr' }, ...content);
  link.addEventListener('click', () => {
    send({ type: 'openPlace', root, path, line, endLine });
  });
  return link;
}

/** A path that gives way in a narrow panel: the folders shrink, the file's name stays. */
export function pathLabel(path: string, line?: number): HTMLElement {
  const shown = visibleLine(path);
  const nameStart = shown.replace(/\/$/, '').lastIndexOf('/') + 1;
  return element(
    'span',
    { class: 'path', dir: 'ltr' },
    ...(nameStart === 0 ? [] : [element('span', { class: 'path-folder' }, shown.slice(0, nameStart))]),
    element('span', { class: 'path-name' }, shown.slice(nameStart)),
    ...(line === undefined ? [] : [element('span', { class: 'path-line' }, `:${line}`)]),
  );
}

/** The links under an answer, best first. Those by attention alone are guesses, and look and say so. */
export function citationList(root: string, citations: readonly Citation[]): HTMLElement {
  return element(
    'ul',
    { class: 'citations', 'aria-label': l10n.t('Links') },
    ...citations.map((citation) => element('li', {}, citationChip(root, citation))),
  );
}

function citationChip(root: string, citation: Citation): HTMLButtonElement {
  const { path, line, name, from } = citation;
  const isGuess = from === 'memory';
  const chip = placeLink(
    root,
    citation,
    isGuess ? 'citation guess' : 'citation',
    icon(isGuess ? 'question' : 'go-to-file'),
    pathLabel(path, line),
    ...(name === undefined ? [] : [element('span', { class: 'citation-name' }, visibleLine(name))]),
  );
  if (isGuess) {
    chip.title = `${chip.title}\n${l10n.t('A guess: the answer paid attention to this place.')}`;
    chip.append(element('span', { class: 'visually-hidden' }, l10n.t('A guess')));
  }
  return chip;
}
