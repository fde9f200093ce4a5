import type { MemoryView } from '../messages.js';
import { element, icon } from './elements.js';
import { l10n } from './localization.js';
import { textPieces } from './text-pieces.js';

/** What stands in place of a conversation that has not begun: questions that fit, and what can be expected. */
export class Welcome {
  readonly element = element('div', { class: 'welcome' });
  private drawn = '';

  /** @param onAsk called with the example that was chosen */
  constructor(private readonly onAsk: (question: string) => void) {}

  update(memory: MemoryView, examples: readonly string[]): void {
    const drawing = JSON.stringify([memory.isBundled, examples]);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    this.element.replaceChildren(
      element('div', { class: 'welcome-mark', 'aria-hidden': 'true' }, icon('comment-discussion')),
      element('h2', {}, l10n.t('Ask about the whole repository')),
      element('p', { class: 'welcome-lead' }, l10n.t('Answers come with links to the lines they rest on.')),
      ...(examples.length === 0 ? [] : [this.examples(examples)]),
      ...(memory.isBundled ? [bundledModelNote()] : []),
    );
  }

  private examples(examples: readonly string[]): HTMLElement {
    const item = (question: string): HTMLElement => {
      const choice = element(
        'button',
        { type: 'button', class: 'example' },
        icon('arrow-right'),
        element('span', {}, ...textPieces(question)),
      );
      choice.addEventListener('click', () => {
        this.onAsk(question);
      });
      return element('li', {}, choice);
    };
    return element('ul', { class: 'examples', 'aria-label': l10n.t('Example questions') }, ...examples.map(item));
  }
}

function bundledModelNote(): HTMLElement {
  return element(
    'p',
    { class: 'welcome-note' },
    icon('info'),
    element(
      'span',
      {},
      l10n.t(
        'The bundled model is tiny. It looks up one named thing: where it is defined, its parameters, the first sentence of its documentation. It cannot explain or compare. Choose a larger model for that.',
      ),
    ),
  );
}
