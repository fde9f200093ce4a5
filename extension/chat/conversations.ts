import { randomUUID } from 'node:crypto';
import type { Conversation, ConversationSummary, Turn } from '../conversation/conversation.js';
import { titleOf } from '../conversation/conversation.js';
import type { ConversationStore } from '../conversation/store.js';
import { ConversationSession, type SessionOptions } from './conversation-session.js';

/** What is told of the conversation that is shown. */
export interface ConversationsListener {
  /** Another conversation is shown, or everything of it may have changed. */
  shown(conversation: Conversation): void;
  turnChanged(turn: Turn): void;
  textAppended(turn: string, root: string, at: number, text: string): void;
  turnRemoved(turn: string): void;
  /** Something was deleted; {@link Conversations.undo} brings it back. */
  deleted(what: 'turn' | 'conversation', title: string): void;
  /** A conversation could not be kept. */
  failed(error: unknown): void;
}

/** All conversations: the shown one, those that still answer, and those in the store. */
export class Conversations {
  /** The shown one and those that still answer. */
  private readonly live = new Map<string, ConversationSession>();
  private current: ConversationSession;
  private bringBack: (() => Promise<void>) | undefined;

  constructor(
    private readonly store: ConversationStore,
    private readonly options: SessionOptions,
    private readonly listener: ConversationsListener,
  ) {
    this.current = this.emptySession();
    this.live.set(this.current.conversation.id, this.current);
  }

  /** The conversation that is shown. */
  get shown(): ConversationSession {
    return this.current;
  }

  /** Shows a new conversation; the shown one stays when nothing was asked in it yet. */
  startNew(): void {
    if (this.current.conversation.turns.length > 0) this.show(this.emptySession());
    else this.listener.shown(this.current.conversation);
  }

  /** Shows a new conversation that begins with questions that were answered elsewhere. */
  startWith(turns: readonly Turn[]): void {
    const session = this.emptySession();
    this.show(session);
    session.append(turns);
    this.listener.shown(session.conversation);
  }

  /** Shows a conversation; nothing happens when there is none of that id that can be read. */
  async open(id: string): Promise<void> {
    const session = this.live.get(id) ?? (await this.stored(id));
    if (session !== undefined) this.show(session);
  }

  /** Shows a conversation of an earlier session, unless a question was asked before it was found. */
  async restore(id: string): Promise<void> {
    const before = this.current;
    const session = await this.stored(id);
    const isUntouched = this.current === before && before.conversation.turns.length === 0;
    if (session !== undefined && isUntouched) this.show(session);
  }

  /** Conversations that contain every word of the text, the one that changed last first; all of them for no text. */
  async list(search: string): Promise<ConversationSummary[]> {
    return search.trim() === '' ? this.store.list() : this.store.search(search);
  }

  /** An empty name lets a conversation be called after its first question again. */
  async rename(id: string, name: string): Promise<void> {
    const session = this.live.get(id) ?? (await this.stored(id));
    if (session === undefined) return;
    session.rename(name.trim() === '' ? undefined : name.trim());
    await this.keep(session.conversation);
    if (session === this.current) this.listener.shown(session.conversation);
  }

  async remove(id: string): Promise<void> {
    const conversation = this.live.get(id)?.conversation ?? (await this.store.load(id));
    if (conversation === undefined) return;
    const wasShown = id === this.current.conversation.id;
    this.live.get(id)?.dispose();
    if (wasShown) this.show(this.emptySession());
    this.live.delete(id);
    await this.store.remove(id);
    this.bringBack = async () => {
      await this.keep(conversation);
      if (wasShown) await this.open(id);
    };
    this.listener.deleted('conversation', titleOf(conversation));
  }

  /** Removes a question and its answers from the shown conversation. */
  removeTurn(turnId: string): void {
    const session = this.current;
    const removed = session.remove(turnId);
    if (removed === undefined) return;
    this.bringBack = async () => {
      session.restore(removed.turn, removed.index);
      if (session === this.current) this.listener.shown(session.conversation);
      else await this.keep(session.conversation);
    };
    this.listener.deleted('turn', removed.turn.question);
  }

  /** Brings back what was deleted last. */
  async undo(): Promise<void> {
    const bringBack = this.bringBack;
    this.bringBack = undefined;
    await bringBack?.();
  }

  /** Ends everything that answers. */
  dispose(): void {
    for (const session of this.live.values()) session.dispose();
  }

  private show(session: ConversationSession): void {
    const left = this.current;
    this.current = session;
    if (!left.isRunning) this.live.delete(left.conversation.id);
    this.live.set(session.conversation.id, session);
    this.listener.shown(session.conversation);
  }

  private async stored(id: string): Promise<ConversationSession | undefined> {
    const conversation = await this.store.load(id);
    return conversation === undefined ? undefined : this.sessionOf(conversation);
  }

  private emptySession(): ConversationSession {
    const now = this.options.now();
    return this.sessionOf({ id: randomUUID(), created: now, changed: now, turns: [] });
  }

  private sessionOf(conversation: Conversation): ConversationSession {
    const { id } = conversation;
    const isShown = (): boolean => this.current === session;
    const session = new ConversationSession(conversation, this.options, {
      turnChanged: (turn) => {
        if (isShown()) this.listener.turnChanged(turn);
      },
      textAppended: (turn, root, at, text) => {
        if (isShown()) this.listener.textAppended(turn, root, at, text);
      },
      turnRemoved: (turn) => {
        if (isShown()) this.listener.turnRemoved(turn);
      },
      kept: (kept) => {
        // A deleted conversation is no longer live: what still ends in it does not write it anew.
        if (this.live.get(id) !== session) return;
        if (!isShown() && !session.isRunning) this.live.delete(id);
        void this.keep(kept);
      },
    });
    return session;
  }

  private async keep(conversation: Conversation): Promise<void> {
    try {
      if (conversation.turns.length === 0) await this.store.remove(conversation.id);
      else await this.store.save(conversation);
    } catch (error) {
      this.listener.failed(error);
    }
  }
}
