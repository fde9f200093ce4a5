import type { AnswerMode } from '../../../server/contract/protocol.js';
import { allRoots, type MemoryView, type Target } from '../messages.js';
import { button, element, icon, uniqueId } from './elements.js';
import { l10n } from './localization.js';
import { durationText } from '../../text/quantities.js';
import { visibleLine } from './visible-text.js';

export interface ComposerActions {
  ask(question: string, mode: AnswerMode): void;
  stop(): void;
  /** The user wants to ask another root. */
  retarget(target: Target): void;
  /** The text or a choice has changed. */
  changed(): void;
  /** Questions asked before, oldest first. */
  earlierQuestions(): readonly string[];
}

/** UTF-16 units; the extension takes twice as many. */
const longestQuestion = 100_000;

/** Where questions are written. */
export class Composer {
  readonly element: HTMLFormElement;
  private readonly input: HTMLTextAreaElement;
  private readonly roots = element('select', { class: 'root-picker', 'aria-label': l10n.t('Folder to ask') });
  private readonly deep: HTMLButtonElement;
  private readonly deepNote = element('p', { class: 'deep-note', id: uniqueId('deep'), hidden: true });
  private readonly sendButton: HTMLButtonElement;
  private readonly stopButton: HTMLButtonElement;
  private rootsDrawn = '';
  private deepSeconds: number | undefined;
  /** Which earlier question stands in the input: 1 is the last; 0 for none. */
  private recalled = 0;

  constructor(private readonly actions: ComposerActions) {
    this.input = element('textarea', {
      rows: 1,
      maxlength: longestQuestion,
      'aria-label': l10n.t('Question'),
      placeholder: l10n.t('Ask about the repository'),
      dir: 'auto',
    });
    this.deep = button({
      label: l10n.t('Deep'),
      icon: 'telescope',
      class: 'toggle',
      title: l10n.t(
        'Read the whole repository again with the question first: slower, and better at what no name leads to',
      ),
      onClick: () => {
        this.setDeep(!this.isDeep);
        actions.changed();
      },
    });
    this.deep.setAttribute('aria-pressed', 'false');
    this.deep.setAttribute('aria-describedby', this.deepNote.id);
    this.sendButton = button({
      label: l10n.t('Ask (Enter)'),
      icon: 'send',
      isIconOnly: true,
      class: 'send',
      onClick: () => {
        this.submit();
      },
    });
    this.stopButton = button({
      label: l10n.t('Stop (Escape)'),
      icon: 'stop-circle',
      isIconOnly: true,
      class: 'stop',
      onClick: () => {
        actions.stop();
      },
    });
    this.stopButton.hidden = true;
    const bar = element(
      'div',
      { class: 'composer-bar' },
      this.roots,
      this.deep,
      element('span', { class: 'spacer' }),
      this.stopButton,
      this.sendButton,
    );
    const box = element('div', { class: 'composer-box' }, this.input, bar);
    this.element = element('form', { class: 'composer', 'aria-label': l10n.t('New question') }, this.deepNote, box);
    this.listen(box);
    this.showSendState();
  }

  get text(): string {
    return this.input.value;
  }

  get isDeep(): boolean {
    return this.deep.getAttribute('aria-pressed') === 'true';
  }

  setText(text: string): void {
    this.input.value = text;
    this.recalled = 0;
    this.showSendState();
  }

  setDeep(isDeep: boolean): void {
    this.deep.setAttribute('aria-pressed', String(isDeep));
    this.showDeepNote();
  }

  focus(): void {
    this.input.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  /** @param isAnswering true while a question can be stopped */
  update(memory: MemoryView, target: Target, isAnswering: boolean): void {
    this.stopButton.hidden = !isAnswering;
    this.showRoots(memory, target);
    const asked = memory.roots.filter(({ root }) => target === allRoots || root.uri === target);
    const seconds = asked.map((root) => root.deepSeconds);
    this.deepSeconds = seconds.every((value) => value !== undefined)
      ? seconds.reduce((sum, value) => sum + value, 0)
      : undefined;
    this.showDeepNote();
  }

  private listen(box: HTMLElement): void {
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.input.addEventListener('input', () => {
      this.recalled = 0;
      this.showSendState();
      this.actions.changed();
    });
    this.input.addEventListener('keydown', (event) => {
      this.handleKey(event);
    });
    this.roots.addEventListener('change', () => {
      this.actions.retarget(this.roots.value);
    });
    // The frame around the input belongs to it.
    box.addEventListener('mousedown', (event) => {
      if (event.target !== box && !(event.target instanceof Element && event.target.matches('.composer-bar, .spacer')))
        return;
      event.preventDefault();
      this.input.focus();
    });
  }

  private handleKey(event: KeyboardEvent): void {
    // While an input method composes a sign, Enter belongs to it.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'ArrowUp' && (this.input.value === '' || this.recalled > 0)) {
      this.recall(this.recalled + 1, event);
    } else if (event.key === 'ArrowDown' && this.recalled > 0) {
      this.recall(this.recalled - 1, event);
    }
  }

  /** Puts an earlier question into the input; none empties it. */
  private recall(which: number, event: KeyboardEvent): void {
    const earlier = this.actions.earlierQuestions();
    if (which > earlier.length) return;
    event.preventDefault();
    this.setText(which === 0 ? '' : (earlier.at(-which) ?? ''));
    this.recalled = which;
    this.focus();
    this.actions.changed();
  }

  private submit(): void {
    const question = this.input.value.trim();
    if (question === '') return;
    this.actions.ask(question, this.isDeep ? 'deep' : 'memory');
    this.setText('');
    this.setDeep(false);
    this.actions.changed();
  }

  private showSendState(): void {
    this.sendButton.disabled = this.input.value.trim() === '';
  }

  private showDeepNote(): void {
    this.deepNote.hidden = !this.isDeep;
    const cost =
      this.deepSeconds === undefined
        ? l10n.t('The whole repository is read again with your question first. That takes as long as reading it did.')
        : l10n.t(
            'The whole repository is read again with your question first: about {0}.',
            durationText(this.deepSeconds),
          );
    this.deepNote.replaceChildren(icon('telescope'), element('span', {}, cost));
  }

  private showRoots({ roots }: MemoryView, target: Target): void {
    this.roots.hidden = roots.length < 2;
    const drawing = JSON.stringify(roots.map(({ root }) => root));
    if (drawing !== this.rootsDrawn) {
      this.rootsDrawn = drawing;
      this.roots.replaceChildren(
        ...roots.map(({ root }) => element('option', { value: root.uri }, visibleLine(root.name))),
        element('option', { value: allRoots }, l10n.t('All folders ({0})', roots.length)),
      );
    }
    this.roots.value = target;
  }
}
