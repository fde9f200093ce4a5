import type { Citation } from '../../../server/contract/protocol.js';
import type { RootAnswer, Turn } from '../../conversation/conversation.js';
import type { RootView } from '../messages.js';
import { AnswerText } from './answer-text.js';
import { coverageLine } from './coverage-line.js';
import { element, icon } from './elements.js';
import { failureBox } from './failure-box.js';
import { l10n } from './localization.js';
import type { MarkdownLinks } from './markdown.js';
import { citationList, placeLink } from './place-link.js';
import { noPlaces, placesOf } from './places.js';
import { textPieces } from './text-pieces.js';
import { RunningStatus } from './running-status.js';
import { visibleLine } from './visible-text.js';

/** The answer of one root: its text, and what stands below it. */
export class AnswerView {
  readonly element = element('section', { class: 'answer' });
  private readonly text = new AnswerText();
  private readonly status: RunningStatus;
  private readonly footer = element('div', { class: 'answer-footer' });
  private links: MarkdownLinks;
  /** The answer that the footer was built for. */
  private footed: RootAnswer | undefined;
  private raw = '';

  /** @param hasHeading true when several roots answer, and each is to be named */
  constructor(
    private readonly root: RootAnswer['root'],
    hasHeading: boolean,
  ) {
    this.status = new RunningStatus(root.uri);
    this.links = this.linksTo([]);
    this.element.setAttribute('aria-label', l10n.t('Answer from {0}', visibleLine(root.name)));
    if (hasHeading) {
      this.element.append(element('h3', { class: 'answer-root' }, icon('root-folder'), visibleLine(root.name)));
    }
    this.element.append(this.status.element, this.text.element, this.footer);
  }

  /** The answer's text as it is shown. */
  get shownText(): string {
    return this.text.element.textContent;
  }

  /** @param memory the memory of the root, if its folder is open */
  update(answer: RootAnswer, turn: Turn, memory: RootView | undefined): void {
    if (answer.state === 'answered' && this.footed !== answer) {
      this.links = this.linksTo(answer.facts?.citations ?? []);
    }
    if (answer.state === 'running') this.links = this.linksTo([]);
    this.raw = answer.text;
    this.text.update(answer.text, this.links);
    this.status.update(answer, memory);
    this.text.element.classList.toggle('streaming', answer.state === 'running' && answer.text !== '');
    if (this.footed === answer) return;
    this.footed = answer;
    this.footer.replaceChildren(...this.footerOf(answer, turn));
  }

  /**
   * Appends text behind the first `at` UTF-16 units.
   * @returns false when something before it was missed
   */
  append(at: number, text: string): boolean {
    if (at !== this.raw.length) return false;
    this.raw += text;
    this.status.hide();
    this.text.element.classList.add('streaming');
    return true;
  }

  /** Shows what was appended. */
  render(): void {
    this.text.update(this.raw, this.links);
  }

  private linksTo(citations: readonly Citation[]): MarkdownLinks {
    return {
      findPlaces: citations.length === 0 ? noPlaces : placesOf(citations),
      placeLink: (label, place) => placeLink(this.root.uri, place, 'place-link', label),
    };
  }

  private footerOf(answer: RootAnswer, turn: Turn): Node[] {
    switch (answer.state) {
      case 'running':
        return [];
      case 'stopped': {
        const text = answer.by === 'user' ? l10n.t('Stopped.') : l10n.t('Interrupted: the window was closed.');
        return [element('p', { class: 'answer-end' }, icon('circle-slash'), text)];
      }
      case 'failed':
        return [failureBox(answer, turn.id)];
      case 'answered': {
        const { facts } = answer;
        if (facts === undefined) return [];
        const { citations, notices } = facts;
        return [
          ...(citations.length === 0 ? [] : [citationList(this.root.uri, citations)]),
          coverageLine(this.root.uri, facts, turn.mode),
          ...(notices.length === 0 ? [] : [noticeList(notices)]),
        ];
      }
    }
  }
}

function noticeList(notices: readonly string[]): HTMLElement {
  const items = notices.map((notice) =>
    element('li', {}, icon('info'), element('span', { dir: 'auto' }, ...textPieces(notice))),
  );
  return element('ul', { class: 'notices', 'aria-label': l10n.t('Notices') }, ...items);
}
