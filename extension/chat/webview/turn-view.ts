import { isRunning, type RootAnswer, type Turn } from '../../conversation/conversation.js';
import { allRoots, type MemoryView } from '../messages.js';
import { AnswerView } from './answer-view.js';
import { button, element, icon, uniqueId } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { textPieces } from './text-pieces.js';
import { visibleText } from './visible-text.js';

/** A question and its answers. */
export class TurnView {
  readonly element: HTMLElement;
  private readonly answers = new Map<string, AnswerView>();
  private readonly actions = element('div', { class: 'turn-actions', role: 'group' });
  private turn: Turn;

  constructor(turn: Turn, memory: MemoryView) {
    this.turn = turn;
    const id = uniqueId('question');
    const heading = element('h2', { class: 'question-text', id, dir: 'auto' }, ...textPieces(turn.question));
    const question = element('div', { class: 'question' }, heading);
    if (turn.mode === 'deep') {
      const title = l10n.t('The repository was read again with this question first');
      question.append(element('span', { class: 'badge', title }, icon('telescope'), l10n.t('Deep')));
    }
    this.actions.setAttribute('aria-label', l10n.t('Actions for this answer'));
    for (const answer of turn.answers) {
      this.answers.set(answer.root.uri, new AnswerView(answer.root, turn.answers.length > 1));
    }
    this.element = element(
      'article',
      { class: 'turn', 'aria-labelledby': id },
      question,
      ...[...this.answers.values()].map((answer) => answer.element),
      this.actions,
    );
    this.update(turn, memory);
  }

  get id(): string {
    return this.turn.id;
  }

  /** What is read out when it is answered. */
  get spokenText(): string {
    const texts = this.turn.answers.map((answer) => {
      switch (answer.state) {
        case 'answered':
          return l10n.t('Answer: {0}', this.answers.get(answer.root.uri)?.shownText ?? '');
        case 'failed':
          return visibleText(`${answer.message} ${answer.remedy}`);
        case 'stopped':
          return l10n.t('Stopped.');
        case 'running':
          return '';
      }
    });
    return texts.join(' ');
  }

  get isRunning(): boolean {
    return isRunning(this.turn);
  }

  update(turn: Turn, memory: MemoryView): void {
    this.turn = turn;
    this.showMemory(memory);
    this.element.setAttribute('aria-busy', String(isRunning(turn)));
    this.actions.replaceChildren(...this.buttons());
  }

  /** Shows what has become of the memories that answers wait for. */
  showMemory(memory: MemoryView): void {
    for (const answer of this.turn.answers) {
      const root = memory.roots.find((candidate) => candidate.root.uri === answer.root.uri);
      this.answers.get(answer.root.uri)?.update(answer, this.turn, root);
    }
  }

  /** @returns the answer that has grown; undefined when a piece before this one was missed */
  append(root: string, at: number, text: string): AnswerView | undefined {
    const view = this.answers.get(root);
    if (view?.append(at, text) !== true) return undefined;
    const append = (answer: RootAnswer): RootAnswer =>
      answer.root.uri === root && answer.state === 'running' ? { ...answer, text: answer.text + text } : answer;
    this.turn = { ...this.turn, answers: this.turn.answers.map(append) };
    return view;
  }

  private buttons(): HTMLButtonElement[] {
    const { id } = this.turn;
    const action = (label: string, symbol: string, onClick: () => void): HTMLButtonElement =>
      button({ label, icon: symbol, isIconOnly: true, onClick });
    const remove = action(l10n.t('Delete Question and Answer'), 'trash', () => {
      send({ type: 'removeTurn', turn: id });
    });
    if (this.isRunning) {
      const isQueued = this.turn.answers.every((answer) => answer.state === 'running' && answer.phase === 'queued');
      const takeBack = action(l10n.t('Take Back'), 'discard', () => {
        send({ type: 'stop', turn: id });
      });
      // What is being answered is stopped beside the composer.
      return isQueued ? [takeBack] : [];
    }
    const text = this.answerText();
    const copy = action(l10n.t('Copy Answer'), 'copy', () => {
      send({ type: 'copy', text });
    });
    const retry = action(l10n.t('Ask Again'), 'refresh', () => {
      send({ type: 'retry', turn: id });
    });
    const deep = action(l10n.t('Ask Deep: Read the Repository Again With This Question First'), 'telescope', () => {
      const [first, ...others] = this.turn.answers;
      const target = others.length > 0 ? allRoots : (first?.root.uri ?? allRoots);
      send({ type: 'ask', question: this.turn.question, mode: 'deep', target });
    });
    return [...(text === '' ? [] : [copy]), retry, ...(this.turn.mode === 'deep' ? [] : [deep]), remove];
  }

  private answerText(): string {
    const texts = this.turn.answers.filter(({ text }) => text !== '');
    if (this.turn.answers.length <= 1) return texts[0]?.text ?? '';
    return texts.map(({ root, text }) => `${root.name}:\n${text}`).join('\n\n');
  }
}
