import type { CoverageFile, CoveragePart, ExtensionMessage } from '../messages.js';
import { element, icon, uniqueId } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { pathLabel, placeLink } from './place-link.js';
import { amount } from './quantities.js';
import { visibleLine } from './visible-text.js';

type Answer = Extract<ExtensionMessage, { type: 'coverage' }>;

/** Rows that are built at once; the rest is built when it is asked for. */
const rowsAtOnce = 200;

/** Lists that were asked for and have not come. */
const awaited = new Map<string, (answer: Answer) => void>();

/** Puts a list that has come where it was asked for. */
export function takeCoverage(answer: Answer): void {
  awaited.get(answer.request)?.(answer);
  awaited.delete(answer.request);
}

/** The files that were read, skipped or have changed, as they are now; filled when the list comes. */
export function coverageFiles(root: string, part: CoveragePart): HTMLElement {
  const request = uniqueId('coverage');
  const container = element('div', {}, element('p', {}, icon('loading', true), ` ${l10n.t('Looking it up…')}`));
  awaited.set(request, ({ files, more, error }) => {
    if (error !== undefined) container.replaceChildren(element('p', {}, visibleLine(error)));
    else if (files.length === 0) container.replaceChildren(element('p', {}, noneText(part)));
    else container.replaceChildren(fileList(root, part, files, more));
  });
  send({ type: 'coverage', request, root, part });
  return container;
}

function noneText(part: CoveragePart): string {
  switch (part) {
    case 'read':
      return l10n.t('No file was read.');
    case 'skipped':
      return l10n.t('No file was skipped.');
    case 'changed':
      return l10n.t('No file has changed: the memory is up to date.');
  }
}

function fileList(root: string, part: CoveragePart, files: readonly CoverageFile[], more: number): HTMLElement {
  const list = element('ul', { class: 'detail-list' });
  const rest = element('p', { class: 'detail-note' });
  const showMore = (): void => {
    const shown = list.childElementCount;
    list.append(...files.slice(shown, shown + rowsAtOnce).map((file) => fileRow(root, part, file)));
    const left = files.length - list.childElementCount;
    if (left > 0) rest.replaceChildren(moreButton(left + more, showMore));
    else rest.replaceChildren(...(more > 0 ? [l10n.t('{0} more are not listed here.', amount(more))] : []));
  };
  showMore();
  return element('div', {}, list, rest);
}

function moreButton(left: number, onClick: () => void): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'link-button' }, l10n.t('Show more ({0})', amount(left)));
  button.addEventListener('click', onClick);
  return button;
}

function fileRow(root: string, part: CoveragePart, file: CoverageFile): HTMLElement {
  const note = element('span', { class: 'detail-note' }, noteText(file));
  // Folders, and files that are gone, cannot be opened.
  const canOpen = !file.path.endsWith('/') && file.change !== 'removed' && !(part === 'skipped' && isGone(file));
  const label = pathLabel(file.path);
  const place = { path: file.path, line: 1, endLine: 1 };
  return element('li', {}, canOpen ? placeLink(root, place, 'detail-link', label) : label, note);
}

function isGone({ reason }: CoverageFile): boolean {
  return reason === 'vanished' || reason === 'symlink-outside' || reason === 'unreadable';
}

function noteText({ tokens, reason, detail, change }: CoverageFile): string {
  if (tokens !== undefined) return l10n.t('{0} tokens', amount(tokens));
  if (change !== undefined) return changeText(change);
  const name = reasonText(reason ?? '');
  return detail === undefined || detail === '' ? name : `${name} · ${visibleLine(detail)}`;
}

function changeText(change: NonNullable<CoverageFile['change']>): string {
  switch (change) {
    case 'modified':
      return l10n.t('modified');
    case 'added':
      return l10n.t('added');
    case 'removed':
      return l10n.t('removed');
  }
}

function reasonText(reason: string): string {
  switch (reason) {
    case 'binary':
      return l10n.t('binary');
    case 'generated':
      return l10n.t('generated');
    case 'lock-file':
      return l10n.t('lock file');
    case 'too-large':
      return l10n.t('too large');
    case 'unreadable':
      return l10n.t('cannot be read');
    case 'symlink-outside':
      return l10n.t('a link out of the folder');
    case 'nested-repository':
      return l10n.t('a repository of its own');
    case 'not-utf8':
      return l10n.t('not UTF-8');
    case 'vanished':
      return l10n.t('gone before it was read');
    case 'empty':
      return l10n.t('empty');
    default:
      return reason;
  }
}
