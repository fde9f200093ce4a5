import type { AnswerMode, RecalledBlock } from '../../../server/contract/protocol.js';
import type { AnswerFacts } from '../../conversation/conversation.js';
import type { CoveragePart } from '../messages.js';
import { coverageFiles } from './coverage-files.js';
import { element, icon, uniqueId } from './elements.js';
import { factList } from './fact-list.js';
import { l10n } from './localization.js';
import { pathLabel, placeLink } from './place-link.js';
import { amount, seconds } from './quantities.js';
import { visibleLine } from './visible-text.js';

interface Part {
  readonly label: (Node | string)[];
  readonly title: string;
  readonly details: () => HTMLElement;
}

/**
 * What an answer rests on, in one line: *read 412 of 420 files · 8 skipped · 2 changed since · recall 3 definitions*. Each
 * part is a button that opens its particulars below; one at a time is open.
 */
export function coverageLine(root: string, facts: AnswerFacts, mode: AnswerMode): HTMLElement {
  const line = element('div', { class: 'coverage-line' });
  const details = element('div', { class: 'details', id: uniqueId('details'), hidden: true });
  let open: HTMLButtonElement | undefined;
  const toggle = (button: HTMLButtonElement, part: Part): void => {
    open?.setAttribute('aria-expanded', 'false');
    open = open === button ? undefined : button;
    details.hidden = open === undefined;
    details.replaceChildren(...(open === undefined ? [] : [part.details()]));
    open?.setAttribute('aria-expanded', 'true');
  };
  for (const part of partsOf(root, facts, mode)) {
    const { label, title } = part;
    const attributes = { type: 'button', class: 'coverage-part', title, 'aria-expanded': 'false' };
    const button = element('button', { ...attributes, 'aria-controls': details.id }, ...label);
    button.addEventListener('click', () => {
      toggle(button, part);
    });
    if (line.childElementCount > 0) line.append(element('span', { class: 'dot', 'aria-hidden': 'true' }, '·'));
    line.append(button);
  }
  const container = element('div', { class: 'coverage' }, line, details);
  container.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || open === undefined) return;
    event.stopPropagation();
    const { current } = { current: open };
    current.click();
    current.focus();
  });
  return container;
}

function partsOf(root: string, facts: AnswerFacts, mode: AnswerMode): Part[] {
  const { coverage, recalled, timings } = facts;
  const { filesRead, skipped, changed } = coverage;
  const files = (part: CoveragePart) => (): HTMLElement => coverageFiles(root, part);
  const recallLabel =
    recalled.length === 1 ? l10n.t('recall 1 definition') : l10n.t('recall {0} definitions', amount(recalled.length));
  return [
    {
      label: [l10n.t('read {0} of {1} files', amount(filesRead), amount(filesRead + skipped))],
      title: l10n.t('Which files the memory was read from'),
      details: files('read'),
    },
    {
      label: [l10n.t('{0} skipped', amount(skipped))],
      title: l10n.t('Which files were not read, and why'),
      details: files('skipped'),
    },
    ...(changed === 0
      ? []
      : [
          {
            label: [l10n.t('{0} changed since', amount(changed))],
            title: l10n.t('Which files have changed since they were read'),
            details: files('changed'),
          },
        ]),
    {
      label: [recallLabel],
      title: l10n.t('Which definitions were re-read for this question, and why'),
      details: () => recalledList(root, recalled),
    },
    {
      label: [icon('watch'), seconds(timings.totalSeconds)],
      title: l10n.t(
        '{0} tokens · first token after {1} · {2} in all',
        amount(timings.answerTokens),
        seconds(timings.firstTokenSeconds),
        seconds(timings.totalSeconds),
      ),
      details: () => factList(facts, mode),
    },
  ];
}

function reasonText(reason: RecalledBlock['reason']): string {
  switch (reason) {
    case 'selection':
      return l10n.t('the question is about it');
    case 'name':
      return l10n.t('the question gives its name');
    case 'similar-name':
      return l10n.t('the question gives a similar name');
    case 'path':
      return l10n.t('the question gives its file');
    case 'earlier-turn':
      return l10n.t('an earlier question was about it');
    case 'attention':
      return l10n.t('the question pays attention to it');
  }
}

function recalledList(root: string, recalled: readonly RecalledBlock[]): HTMLElement {
  if (recalled.length === 0) {
    return element('p', {}, l10n.t('No definition was re-read: the question names none that is known.'));
  }
  // The model reads the best block last; people look for it first.
  return element('ul', { class: 'detail-list' }, ...recalled.toReversed().map((block) => recalledRow(root, block)));
}

function recalledRow(root: string, block: RecalledBlock): HTMLElement {
  const { path, line, name, reason, tokens, cut } = block;
  const notes = [reasonText(reason), l10n.t('{0} tokens', amount(tokens))];
  if (cut === 1) notes.push(l10n.t('1 line did not fit'));
  if (cut > 1) notes.push(l10n.t('{0} lines did not fit', amount(cut)));
  return element(
    'li',
    {},
    placeLink(
      root,
      block,
      'detail-link',
      ...(name === undefined ? [] : [element('span', { class: 'detail-name' }, visibleLine(name))]),
      pathLabel(path, line),
    ),
    element('span', { class: 'detail-note' }, notes.join(' · ')),
  );
}
