import type { AskResult, Citation } from '../../server/contract/protocol.js';
import type { AnswerPartial } from './ask.js';
import type { Localization } from '../text/localization.js';
import { countText, progressText } from '../text/quantities.js';
import { escapeMarkdown, linklessMarkdown, visibleText } from '../text/linkless-markdown.js';

/** A place as editors and terminals recognise it. */
export function placeText({ path, line }: Pick<Citation, 'path' | 'line'>): string {
  return `${visibleText(path).replace(/[\n\t]+/g, ' ')}:${line}`;
}

/** What an answer rests on, in parts: how much was read, what was skipped, what has changed, what was read again. */
export function coverageTexts({ coverage, recalled }: AskResult, l10n: Localization): string[] {
  const { filesRead, skipped, changed } = coverage;
  return [
    l10n.t('read {0} of {1} files', countText(filesRead, l10n), countText(filesRead + skipped, l10n)),
    ...(skipped === 0 ? [] : [l10n.t('{0} skipped', countText(skipped, l10n))]),
    ...(changed === 0 ? [] : [l10n.t('{0} changed since', countText(changed, l10n))]),
    ...(recalled.length === 0
      ? []
      : [
          recalled.length === 1
            ? l10n.t('recall 1 definition')
            : l10n.t('recall {0} definitions', countText(recalled.length, l10n)),
        ]),
  ];
}

/** What is done while no text comes; undefined for pieces of the answer. */
export function phaseText(partial: AnswerPartial, l10n: Localization): string | undefined {
  if (partial.kind === 'text') return undefined;
  if (partial.kind === 'progress') return l10n.t('Reading the repository: {0}', progressText(partial.progress, l10n));
  switch (partial.phase) {
    case 'waiting':
      return l10n.t('Waiting for the model');
    case 'opening':
      return l10n.t('Opening the memory');
    case 'reading':
      return l10n.t('Reading the repository with the question first');
    case 'paused':
      return l10n.t('Reading is paused. Your question waits.');
    case 'restarting':
      return l10n.t('The sidecar has ended and is being restarted. Your question is asked again.');
    case 'answering':
      return l10n.t('Answering');
  }
}

/** Links that are shown; more would bury the answer. */
const mostLinks = 8;

/**
 * An answer for people, as Markdown: its words without links of its own, then the checked links, notices and what it rests
 * on.
 *
 * @param targets where links lead; without, places are only named
 */
export function answerMarkdown(
  result: AskResult,
  l10n: Localization,
  targets?: { readonly place: (citation: Citation) => string; readonly coverage: string },
): string {
  const links = result.citations.slice(0, mostLinks).map((citation) => {
    const place = escapeMarkdown(placeText(citation));
    const link = targets === undefined ? place : `[${place}](${targets.place(citation)})`;
    return citation.name === undefined ? `- ${link}` : `- ${link} — ${escapeMarkdown(citation.name)}`;
  });
  const coverage = escapeMarkdown(coverageTexts(result, l10n).join(' · '));
  return [
    linklessMarkdown(result.text).trim(),
    links.join('\n'),
    result.notices.map((notice) => `⚠ ${linklessMarkdown(notice)}`).join('  \n'),
    targets === undefined ? coverage : `[${coverage}](${targets.coverage})`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** An answer for another model, as plain text: what it says, where that stands, and what it rests on. */
export function answerForModel(result: AskResult): string {
  const { filesRead, skipped, changed } = result.coverage;
  const links = result.citations.map(
    (citation) => `- ${placeText(citation)}${citation.name === undefined ? '' : ` ${visibleText(citation.name)}`}`,
  );
  return [
    result.text.trim() === '' ? 'The model gave no answer in words.' : visibleText(result.text).trim(),
    links.length === 0 ? 'Links: none.' : `Links, each checked against the file as it is now:\n${links.join('\n')}`,
    ...(result.notices.length === 0 ? [] : [`Notices:\n${result.notices.map((notice) => `- ${notice}`).join('\n')}`]),
    `Coverage. Files read: ${filesRead}; skipped: ${skipped}; changed since they were read: ${changed}. ` +
      `Definitions read again for this question: ${result.recalled.length}.`,
  ].join('\n\n');
}
