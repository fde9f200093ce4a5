import { isRunning, type AnswerPhase, type Turn } from '../../conversation/conversation.js';
import type { ChatState, ExtensionMessage, RootView } from '../messages.js';
import { Announcer } from './announcer.js';
import { Composer } from './composer.js';
import { ConversationList } from './conversation-list.js';
import { ConversationLog } from './conversation-log.js';
import { takeCoverage } from './coverage-files.js';
import { element } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { MemoryCard } from './memory-card.js';
import { recallPage, rememberPage } from './page-memory.js';
import { UndoBar } from './undo-bar.js';
import { Welcome } from './welcome.js';

/** Scrolling is remembered once it has come to rest for so long, milliseconds. */
const restTime = 150;

/** Phases of an answer, and states of its memory, in which the answer shows how far the reading is. */
const waitingPhases: readonly AnswerPhase[] = ['opening', 'waiting', 'paused'];
const readingStates: readonly RootView['state'][] = ['reading', 'updating', 'paused'];

/** The whole page: built from one state, and kept in step with what the extension tells. */
export class Panel {
  readonly element: HTMLElement;
  private readonly announcer = new Announcer();
  private readonly card = new MemoryCard();
  private readonly welcome: Welcome;
  private readonly log: ConversationLog;
  private readonly composer: Composer;
  private readonly list: ConversationList;
  private readonly undo = new UndoBar();
  private readonly main: HTMLElement;

  constructor(private state: ChatState) {
    let rest: number | undefined;
    this.log = new ConversationLog(state.memory, () => {
      window.clearTimeout(rest);
      rest = window.setTimeout(() => {
        this.remember();
      }, restTime);
    });
    this.welcome = new Welcome((question) => {
      send({ type: 'ask', question, mode: 'memory', target: this.state.target });
    });
    this.composer = new Composer({
      ask: (question, mode) => {
        send({ type: 'ask', question, mode, target: this.state.target });
      },
      stop: () => {
        this.stop();
      },
      retarget: (target) => {
        this.state = { ...this.state, target };
        send({ type: 'target', target });
        this.refresh();
      },
      changed: () => {
        this.remember();
      },
      earlierQuestions: () => this.state.conversation.turns.map(({ question }) => question),
    });
    this.list = new ConversationList(() => {
      this.closeList();
    });
    this.main = element(
      'div',
      { class: 'conversation' },
      this.welcome.element,
      this.log.element,
      this.composer.element,
    );
    this.element = element(
      'main',
      { class: 'panel' },
      this.card.element,
      this.main,
      this.list.element,
      this.undo.element,
      this.announcer.element,
    );
    // On the document: the focus may be nowhere.
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.isComposing && this.log.running !== undefined) {
        event.preventDefault();
        this.stop();
      }
    });
  }

  /** Shows the state with which the page was built, as the page was left. */
  start(): void {
    const { draft, isDeep, conversation, position, isListOpen } = recallPage();
    this.composer.setText(draft);
    this.composer.setDeep(isDeep);
    this.showState(this.state);
    if (position !== undefined && conversation === this.state.conversation.id) this.log.scrollTo(position);
    if (isListOpen) this.openList();
  }

  receive(message: ExtensionMessage): void {
    switch (message.type) {
      case 'state':
        this.showState(message.state);
        break;
      case 'turn':
        this.showTurn(message.turn);
        break;
      case 'text':
        this.appendText(message);
        break;
      case 'turnRemoved':
        this.setTurns(this.state.conversation.turns.filter(({ id }) => id !== message.turn));
        this.log.remove(message.turn);
        this.refresh();
        break;
      case 'memory':
        this.state = { ...this.state, memory: message.memory, examples: message.examples };
        this.log.showMemory(message.memory);
        this.refresh();
        break;
      case 'compose':
        this.compose(message);
        break;
      case 'coverage':
        takeCoverage(message);
        break;
      case 'showConversations':
        this.openList();
        break;
      case 'conversations':
        this.list.show(message.search, message.conversations);
        break;
      case 'deleted':
        this.undo.show(message.what, message.title);
        this.announcer.announce(
          message.what === 'turn' ? l10n.t('Question deleted.') : l10n.t('Conversation deleted.'),
        );
        break;
    }
  }

  private showState(state: ChatState): void {
    const position = state.conversation.id === this.state.conversation.id ? this.log.position : undefined;
    this.state = state;
    this.log.showMemory(state.memory);
    this.log.show(state.conversation.turns);
    if (position !== undefined) this.log.scrollTo(position);
    this.refresh();
  }

  private showTurn(turn: Turn): void {
    const { turns } = this.state.conversation;
    const before = turns.find(({ id }) => id === turn.id);
    this.setTurns(before === undefined ? [...turns, turn] : turns.map((other) => (other === before ? turn : other)));
    this.log.update(turn);
    this.announceChange(before, turn);
    this.refresh();
  }

  private appendText({ turn, root, at, text }: Extract<ExtensionMessage, { type: 'text' }>): void {
    // Something was missed, as while the page was being built: the whole state tells.
    if (!this.log.append(turn, root, at, text)) send({ type: 'ready' });
  }

  private setTurns(turns: readonly Turn[]): void {
    this.state = { ...this.state, conversation: { ...this.state.conversation, turns } };
  }

  private compose({ text, deep, target }: Extract<ExtensionMessage, { type: 'compose' }>): void {
    if (target !== undefined) this.state = { ...this.state, target };
    if (text !== '' && this.composer.text.trim() === '') this.composer.setText(text);
    if (deep) this.composer.setDeep(true);
    this.closeList();
    this.refresh();
    this.composer.focus();
    this.remember();
  }

  private stop(): void {
    const { running } = this.log;
    if (running !== undefined) send({ type: 'stop', turn: running.id });
  }

  /** Brings everything that depends on the state, other than the turns, into line with it. */
  private refresh(): void {
    const { memory, target, examples } = this.state;
    const isEmpty = this.log.isEmpty;
    const shownElsewhere = new Set(
      this.state.conversation.turns
        .flatMap(({ answers }) => answers)
        .filter((answer) => answer.state === 'running' && waitingPhases.includes(answer.phase))
        .map(({ root }) => root.uri)
        .filter((uri) => memory.roots.some(({ root, state }) => root.uri === uri && readingStates.includes(state))),
    );
    this.welcome.element.hidden = !isEmpty;
    this.log.element.hidden = isEmpty;
    if (isEmpty) this.welcome.update(memory, examples);
    this.card.update({ memory, target, isEmpty, shownElsewhere });
    this.composer.update(memory, target, this.log.running !== undefined);
  }

  private announceChange(before: Turn | undefined, turn: Turn): void {
    if (before === undefined || (!isRunning(before) && isRunning(turn))) {
      this.announcer.announce(l10n.t('Asked. The answer will be read out when it is there.'));
      return;
    }
    if (isRunning(before) && !isRunning(turn)) this.announcer.announce(this.log.spokenText(turn.id));
  }

  private openList(): void {
    this.main.hidden = true;
    this.list.open(this.state.conversation.id);
    this.remember();
  }

  private closeList(): void {
    if (!this.list.isOpen) return;
    this.list.close();
    this.main.hidden = false;
    this.composer.focus();
    this.remember();
  }

  private remember(): void {
    rememberPage({
      draft: this.composer.text,
      isDeep: this.composer.isDeep,
      conversation: this.state.conversation.id,
      position: this.log.position,
      isListOpen: this.list.isOpen,
    });
  }
}
