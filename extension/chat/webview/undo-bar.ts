import { button, element } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { visibleLine } from './visible-text.js';

/** How long what was deleted can be brought back here, milliseconds. */
const shownFor = 15_000;

/** Tells what was deleted, and offers to bring it back. */
export class UndoBar {
  readonly element = element('div', { class: 'undo-bar', hidden: true });
  private timer: number | undefined;

  show(what: 'turn' | 'conversation', title: string): void {
    const name = visibleLine(title.length > 60 ? `${title.slice(0, 60)}…` : title);
    const text = what === 'turn' ? l10n.t('Question deleted: {0}', name) : l10n.t('Conversation deleted: {0}', name);
    const undo = button({
      label: l10n.t('Undo'),
      class: 'secondary',
      onClick: () => {
        this.hide();
        send({ type: 'undo' });
      },
    });
    const close = button({
      label: l10n.t('Close'),
      icon: 'close',
      isIconOnly: true,
      onClick: () => {
        this.hide();
      },
    });
    this.element.replaceChildren(element('span', { class: 'undo-text', dir: 'auto' }, text), undo, close);
    this.element.hidden = false;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      // Not from under the pointer or the focus.
      if (!this.element.matches(':hover, :focus-within')) this.hide();
    }, shownFor);
  }

  private hide(): void {
    window.clearTimeout(this.timer);
    this.element.hidden = true;
  }
}
