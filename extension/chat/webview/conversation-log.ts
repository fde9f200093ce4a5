import type { Turn } from '../../conversation/conversation.js';
import type { MemoryView } from '../messages.js';
import type { AnswerView } from './answer-view.js';
import { button, element } from './elements.js';
import { l10n } from './localization.js';
import { TurnView } from './turn-view.js';

/** This far from its end the log still counts as being at its end, CSS pixels. */
const nearEnd = 40;

/** The questions and answers of a conversation. It follows its end while it is there, and stays put elsewhere. */
export class ConversationLog {
  private readonly list = element('div', { class: 'turns' });
  private readonly toEnd: HTMLButtonElement;
  private readonly scroller: HTMLElement;
  readonly element: HTMLElement;
  private turns: TurnView[] = [];
  private isAtEnd = true;
  /** Answers that have grown since the last frame. */
  private readonly grown = new Set<AnswerView>();

  /** @param onScroll called when the log stands elsewhere */
  constructor(
    private memory: MemoryView,
    private readonly onScroll: () => void,
  ) {
    this.scroller = element(
      'div',
      // Announced by the announcer instead: token by token nobody could listen.
      { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': l10n.t('Conversation'), tabindex: '0' },
      this.list,
    );
    this.toEnd = button({
      label: l10n.t('Go to the End'),
      icon: 'arrow-down',
      isIconOnly: true,
      class: 'to-end',
      onClick: () => {
        this.scrollToEnd();
      },
    });
    this.toEnd.hidden = true;
    this.element = element('div', { class: 'log-frame' }, this.scroller, this.toEnd);
    this.scroller.addEventListener('scroll', () => {
      this.noteScroll();
    });
    new ResizeObserver(() => {
      this.follow();
    }).observe(this.list);
    new ResizeObserver(() => {
      this.follow();
    }).observe(this.scroller);
  }

  get isEmpty(): boolean {
    return this.turns.length === 0;
  }

  /** Where the log stands: CSS pixels from its top; undefined while it follows its end. */
  get position(): number | undefined {
    return this.isAtEnd ? undefined : this.scroller.scrollTop;
  }

  /** The turn that answers, or waits to; the first one of several. */
  get running(): TurnView | undefined {
    return this.turns.find(({ isRunning }) => isRunning);
  }

  /** Shows other turns, from the end. */
  show(turns: readonly Turn[]): void {
    this.grown.clear();
    this.turns = turns.map((turn) => new TurnView(turn, this.memory));
    this.list.replaceChildren(...this.turns.map((turn) => turn.element));
    this.scrollToEnd();
  }

  /** Shows a turn that is new or has changed. */
  update(turn: Turn): void {
    const shown = this.find(turn.id);
    const [first] = turn.answers;
    const isStartedAnew = first?.state === 'running' && first.phase === 'queued';
    if (shown !== undefined && !isStartedAnew) {
      shown.update(turn, this.memory);
    } else {
      const view = new TurnView(turn, this.memory);
      if (shown === undefined) {
        this.turns.push(view);
        this.list.append(view.element);
        this.scrollToEnd();
      } else {
        this.turns = this.turns.map((other) => (other === shown ? view : other));
        shown.element.replaceWith(view.element);
      }
    }
    this.follow();
  }

  /** @returns false when a piece before this one was missed, so that all of the conversation has to be asked for */
  append(turn: string, root: string, at: number, text: string): boolean {
    const grown = this.find(turn)?.append(root, at, text);
    if (grown === undefined) return false;
    if (this.grown.size === 0) {
      requestAnimationFrame(() => {
        for (const answer of this.grown) answer.render();
        this.grown.clear();
        this.follow();
      });
    }
    this.grown.add(grown);
    return true;
  }

  remove(turn: string): void {
    this.find(turn)?.element.remove();
    this.turns = this.turns.filter(({ id }) => id !== turn);
  }

  showMemory(memory: MemoryView): void {
    this.memory = memory;
    for (const turn of this.turns) if (turn.isRunning) turn.showMemory(memory);
  }

  /** What is read out of a turn that was answered. */
  spokenText(turn: string): string {
    return this.find(turn)?.spokenText ?? '';
  }

  scrollTo(position: number): void {
    this.scroller.scrollTop = position;
    this.noteScroll();
  }

  scrollToEnd(): void {
    this.isAtEnd = true;
    this.follow();
  }

  private find(id: string): TurnView | undefined {
    return this.turns.find((turn) => turn.id === id);
  }

  private follow(): void {
    if (this.isAtEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.toEnd.hidden = this.isAtEnd;
  }

  private noteScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
    this.toEnd.hidden = this.isAtEnd;
    this.onScroll();
  }
}
