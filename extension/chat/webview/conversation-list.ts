import { ageText } from '../../text/quantities.js';
import type { ConversationSummary } from '../messages.js';
import { button, element, icon } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { amount } from './quantities.js';
import { visibleLine } from './visible-text.js';

/** The list of conversations, in place of the shown one: search, open, rename, delete. */
export class ConversationList {
  readonly element: HTMLElement;
  private readonly search: HTMLInputElement;
  private readonly list = element('ul', { class: 'conversation-items' });
  private conversations: readonly ConversationSummary[] = [];
  private shownId = '';
  /** The conversation that is being renamed: the list is not built anew meanwhile. */
  private renamed: string | undefined;

  /** @param onClose called when the shown conversation is wanted back */
  constructor(private readonly onClose: () => void) {
    this.search = element('input', {
      type: 'search',
      placeholder: l10n.t('Search in conversations'),
      'aria-label': l10n.t('Search in conversations'),
    });
    this.search.addEventListener('input', () => {
      this.ask();
    });
    const head = element(
      'div',
      { class: 'list-head' },
      element('h2', {}, l10n.t('Conversations')),
      button({
        label: l10n.t('New Conversation'),
        icon: 'add',
        isIconOnly: true,
        onClick: () => {
          send({ type: 'newConversation' });
          onClose();
        },
      }),
      button({ label: l10n.t('Close'), icon: 'close', isIconOnly: true, onClick: onClose }),
    );
    this.element = element(
      'section',
      { class: 'conversation-list', 'aria-label': l10n.t('Conversations'), hidden: true },
      head,
      this.search,
      this.list,
    );
    this.element.addEventListener('keydown', (event) => {
      this.handleKey(event);
    });
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** @param shownId the conversation behind the list */
  open(shownId: string): void {
    this.shownId = shownId;
    this.element.hidden = false;
    this.search.value = '';
    this.renamed = undefined;
    this.ask();
    this.search.focus();
  }

  close(): void {
    this.element.hidden = true;
  }

  /** Asks for the conversations that contain what is searched for. */
  private ask(): void {
    send({ type: 'listConversations', search: this.search.value });
  }

  /** Shows what was found, if it is what was asked for last. */
  show(search: string, conversations: readonly ConversationSummary[]): void {
    if (search !== this.search.value || this.renamed !== undefined) return;
    this.conversations = conversations;
    this.render();
  }

  private render(): void {
    const focused = this.items().indexOf(document.activeElement);
    const none = this.search.value.trim() === '' ? l10n.t('No conversation yet.') : l10n.t('Nothing found.');
    this.list.replaceChildren(
      ...(this.conversations.length === 0
        ? [element('li', { class: 'none' }, none)]
        : this.conversations.map((conversation) => this.item(conversation))),
    );
    if (focused >= 0) this.focusItem(Math.min(focused, this.conversations.length - 1));
  }

  private item(conversation: ConversationSummary): HTMLElement {
    const { id, title, changed, turns, roots } = conversation;
    const isShown = id === this.shownId;
    const count = turns === 1 ? l10n.t('1 question') : l10n.t('{0} questions', amount(turns));
    const note = [ageText(changed, Date.now(), l10n), count, ...roots.map(visibleLine)].join(' · ');
    const choose = element(
      'button',
      { type: 'button', class: 'conversation-item', 'aria-current': isShown ? 'true' : undefined, 'data-id': id },
      element('span', { class: 'conversation-title', dir: 'auto' }, nameOf(title)),
      element('span', { class: 'conversation-note' }, note),
    );
    choose.addEventListener('click', () => {
      if (!isShown) send({ type: 'openConversation', id });
      this.onClose();
    });
    const item = element(
      'li',
      {},
      ...(isShown ? [icon('check')] : []),
      choose,
      button({
        label: l10n.t('Rename'),
        icon: 'edit',
        isIconOnly: true,
        onClick: () => {
          this.rename(conversation, item);
        },
      }),
      button({
        label: l10n.t('Delete'),
        icon: 'trash',
        isIconOnly: true,
        onClick: () => {
          send({ type: 'removeConversation', id });
        },
      }),
    );
    return item;
  }

  private rename({ id, title }: ConversationSummary, item: HTMLElement): void {
    this.renamed = id;
    const input = element('input', { type: 'text', 'aria-label': l10n.t('Name of the conversation'), maxlength: 200 });
    input.value = title;
    item.replaceChildren(input);
    input.focus();
    input.select();
    const end = (isKept: boolean): void => {
      if (this.renamed !== id) return;
      this.renamed = undefined;
      if (isKept && input.value !== title) send({ type: 'renameConversation', id, name: input.value });
      this.render();
      this.focusItem(this.conversations.findIndex((conversation) => conversation.id === id));
    };
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === 'Enter');
    });
    input.addEventListener('blur', () => {
      end(true);
    });
  }

  private items(): (Element | null)[] {
    return [...this.list.querySelectorAll('.conversation-item')];
  }

  private focusItem(index: number): void {
    const item = this.items()[Math.max(0, index)];
    if (item instanceof HTMLElement) item.focus();
  }

  private handleKey(event: KeyboardEvent): void {
    const items = this.items();
    const index = items.indexOf(document.activeElement);
    const conversation = this.conversations[index];
    const item = items[index]?.parentElement;
    if (event.key === 'Escape') this.onClose();
    else if (event.key === 'ArrowDown') this.focusItem(Math.min(index + 1, items.length - 1));
    else if (event.key === 'ArrowUp' && index > 0) this.focusItem(index - 1);
    else if (event.key === 'ArrowUp' && index === 0) this.search.focus();
    else if (event.key === 'F2' && conversation !== undefined && item instanceof HTMLElement)
      this.rename(conversation, item);
    else if (event.key === 'Delete' && conversation !== undefined)
      send({ type: 'removeConversation', id: conversation.id });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function nameOf(title: string): string {
  return title === '' ? l10n.t('Unnamed') : visibleLine(title);
}
