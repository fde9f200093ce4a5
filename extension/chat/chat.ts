import type * as vscode from 'vscode';
import type { AnswerMode } from '../../server/contract/protocol.js';
import { titleOf, type Root } from '../conversation/conversation.js';
import type { ConversationStore } from '../conversation/store.js';
import type { Localization } from '../text/localization.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import type { CancellationSource } from './conversation-session.js';
import { Conversations, type ConversationsListener } from './conversations.js';
import { coverageList } from './coverage-list.js';
import { Examples } from './examples.js';
import {
  allRoots,
  type ChatState,
  type ExtensionMessage,
  type PageCommand,
  type PageMessage,
  type Target,
} from './messages.js';
import { ShownMemory } from './shown-memory.js';

/** What the chat needs of the editor. */
export interface ChatEditor {
  readonly language: Localization;
  /** The user's language by English text. */
  readonly texts: Readonly<Record<string, string>>;
  /** The open folders that can be asked. */
  readonly roots: () => readonly Root[];
  /** What was remembered under a key for this workspace, over restarts. */
  readonly recall: (key: string) => string | undefined;
  readonly remember: (key: string, value: string) => Promise<void>;
  readonly createCancellation: () => CancellationSource;
  readonly openPlace: (place: { root: string; path: string; line: number; endLine: number }) => Promise<void>;
  readonly copy: (text: string) => Promise<void>;
  readonly insertAtCursor: (text: string) => Promise<void>;
  readonly openAsNewFile: (text: string, language: string) => Promise<void>;
  readonly run: (command: PageCommand) => Promise<void>;
  /** Tells the user that a folder has to be opened first. */
  readonly offerFolder: () => Promise<void>;
  readonly showFailure: (error: unknown) => Promise<void>;
  /** Called when an answer has come. */
  readonly answered: () => void;
}

/** Keys of what is remembered. */
const keys = { conversation: 'locret.chat.conversation', target: 'locret.chat.target' } as const;

/**
 * What is behind the chat panel's page: the conversations, the memories they are about, and what the page asks for. The
 * page holds nothing that is not here; `state` builds it anew.
 */
export class Chat {
  readonly conversations: Conversations;
  private readonly memory: ShownMemory;
  private readonly examples: Examples;
  private readonly subscriptions: readonly vscode.Disposable[];
  /** What the page searched conversations for last. */
  private search = '';

  constructor(
    private readonly sidecar: Sidecar,
    store: ConversationStore,
    private readonly editor: ChatEditor,
    private readonly post: (message: ExtensionMessage) => void,
  ) {
    const postMemory = (): void => {
      this.postMemory();
    };
    this.memory = new ShownMemory(sidecar, editor.roots, postMemory);
    this.examples = new Examples(sidecar, editor.language, postMemory);
    this.conversations = new Conversations(store, { sidecar, now: Date.now, ...editor }, this.listener());
    this.subscriptions = [sidecar.onDidChangeStatus(postMemory), sidecar.onDidChangeLife(postMemory)];
  }

  /** Shows the conversation that was shown when the window was closed. */
  async restore(): Promise<void> {
    const id = this.editor.recall(keys.conversation);
    if (id !== undefined) await this.conversations.restore(id);
  }

  /** Asks in the shown conversation; resolves when it is answered. */
  async ask(question: string, mode: AnswerMode, target: Target = this.target): Promise<void> {
    const roots = this.rootsOf(target);
    if (roots.length === 0) {
      await this.editor.offerFolder();
      return;
    }
    const { shown } = this.conversations;
    void this.editor.remember(keys.conversation, shown.conversation.id);
    await shown.ask(question, mode, roots);
  }

  /** The open roots that a target means. */
  rootsOf(target: Target): readonly Root[] {
    const roots = this.editor.roots();
    return target === allRoots ? roots : roots.filter(({ uri }) => uri === target);
  }

  /** Sends the page everything that it shows. */
  postState(): void {
    const { conversation } = this.conversations.shown;
    const state: ChatState = {
      language: this.editor.language.language,
      texts: this.editor.texts,
      conversation: { id: conversation.id, title: titleOf(conversation), turns: conversation.turns },
      memory: this.memory.view(),
      target: this.target,
      examples: this.exampleQuestions(),
    };
    this.post({ type: 'state', state });
  }

  /** Does what the page asks for; what fails is shown to the user. */
  async handle(message: PageMessage): Promise<void> {
    try {
      await this.act(message);
    } catch (error) {
      await this.editor.showFailure(error);
    }
  }

  dispose(): void {
    this.conversations.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /** What is asked when nothing else is said: a root, or all of them. */
  private get target(): Target {
    const roots = this.editor.roots();
    const last = this.editor.recall(keys.target);
    if (roots.length > 1 && last === allRoots) return allRoots;
    return (roots.find(({ uri }) => uri === last) ?? roots[0])?.uri ?? allRoots;
  }

  private exampleQuestions(): readonly string[] {
    const { roots } = this.memory.view();
    const root = roots.find((candidate) => candidate.root.uri === this.target) ?? roots[0];
    return root === undefined ? [] : this.examples.about(root);
  }

  private postMemory(): void {
    this.post({ type: 'memory', memory: this.memory.view(), examples: this.exampleQuestions() });
  }

  private listener(): ConversationsListener {
    return {
      shown: (conversation) => {
        void this.editor.remember(keys.conversation, conversation.id);
        this.postState();
      },
      turnChanged: (turn) => {
        if (turn.answers.some(({ state }) => state === 'answered')) this.editor.answered();
        this.post({ type: 'turn', turn });
      },
      textAppended: (turn, root, at, text) => {
        this.post({ type: 'text', turn, root, at, text });
      },
      turnRemoved: (turn) => {
        this.post({ type: 'turnRemoved', turn });
      },
      deleted: (what, title) => {
        this.post({ type: 'deleted', what, title });
      },
      failed: (error) => {
        void this.editor.showFailure(error);
      },
    };
  }

  private async act(message: PageMessage): Promise<void> {
    const { conversations, editor } = this;
    switch (message.type) {
      case 'ready':
        this.postState();
        return;
      case 'ask':
        return this.ask(message.question, message.mode, message.target);
      case 'stop':
        this.stop(message.turn);
        return;
      case 'retry':
        return conversations.shown.retry(message.turn);
      case 'removeTurn':
        conversations.removeTurn(message.turn);
        return;
      case 'undo':
        await conversations.undo();
        return this.postConversations();
      case 'openPlace':
        return editor.openPlace(message);
      case 'copy':
        return editor.copy(message.text);
      case 'insert':
        return editor.insertAtCursor(message.text);
      case 'newFile':
        return editor.openAsNewFile(message.text, message.language);
      case 'coverage':
        this.post(await coverageList(this.sidecar, message));
        return;
      case 'memory':
        return this.changeMemory(message.action, message.root);
      case 'command':
        return editor.run(message.command);
      case 'target':
        await editor.remember(keys.target, message.target);
        this.postMemory();
        return;
      case 'newConversation':
        conversations.startNew();
        return;
      case 'listConversations':
        this.search = message.search;
        return this.postConversations();
      case 'openConversation':
        return conversations.open(message.id);
      case 'renameConversation':
        await conversations.rename(message.id, message.name);
        return this.postConversations();
      case 'removeConversation':
        await conversations.remove(message.id);
        return this.postConversations();
    }
  }

  private async postConversations(): Promise<void> {
    const { search } = this;
    this.post({ type: 'conversations', search, conversations: await this.conversations.list(search) });
  }

  /** A question that is taken back goes into the composer again. */
  private stop(turnId: string): void {
    const taken = this.conversations.shown.stop(turnId);
    if (taken !== undefined) this.post({ type: 'compose', text: taken.question, deep: taken.mode === 'deep' });
  }

  private async changeMemory(action: 'read' | 'update' | 'pause' | 'cancel', root: string): Promise<void> {
    if (action === 'read') await this.sidecar.request('locret/read', { root });
    else if (action === 'update') await this.sidecar.request('locret/update', { root });
    else await this.sidecar.request('locret/stopReading', { root, keep: action === 'pause' });
  }
}
