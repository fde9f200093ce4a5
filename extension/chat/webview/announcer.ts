import { element } from './elements.js';

/** Longest text that is read out at once, UTF-16 units. */
const longest = 4000;

/** Reads texts out to users of screen readers. Only whole sentences: a stream of tokens would never end. */
export class Announcer {
  readonly element = element('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });

  announce(text: string): void {
    // The same text again is only read when the node changes.
    this.element.replaceChildren(element('p', {}, text.slice(0, longest)));
  }
}
