import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { Chat, type ChatEditor } from '../../../../extension/chat/chat.js';
import type { ExtensionMessage, PageCommand } from '../../../../extension/chat/messages.js';
import type { Root } from '../../../../extension/conversation/conversation.js';
import { ConversationStore } from '../../../../extension/conversation/store.js';
import { english } from '../english.js';
import { createCancellation, FakeSidecar, root } from './fake-sidecar.js';

/** What the chat did in the editor. */
export interface EditorLog {
  readonly opened: { root: string; path: string; line: number; endLine: number }[];
  readonly copied: string[];
  readonly inserted: string[];
  readonly files: { readonly text: string; readonly language: string }[];
  readonly commands: PageCommand[];
  readonly failures: unknown[];
}

export interface ChatUnderTest {
  readonly chat: Chat;
  readonly sidecar: FakeSidecar;
  readonly store: ConversationStore;
  readonly log: EditorLog;
  /** What the page was sent. */
  readonly sent: ExtensionMessage[];
  /** Sends the page a message, as commands do. */
  readonly post: (message: ExtensionMessage) => void;
  /** A chat over the same files and the same memory of the workspace, as after a restart of the editor. */
  restarted(): ChatUnderTest;
}

export interface ChatOptions {
  readonly sidecar?: FakeSidecar;
  readonly roots?: readonly Root[];
  readonly texts?: ChatEditor['texts'];
  readonly post?: (message: ExtensionMessage) => void;
}

/** A chat over a sidecar and an editor that the test plays. */
export async function openChat(options: ChatOptions = {}): Promise<ChatUnderTest> {
  const folder = await mkdtemp(path.join(tmpdir(), 'locret-chat-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return chatOver(folder, new Map<string, string>(), options);
}

function chatOver(folder: string, remembered: Map<string, string>, options: ChatOptions): ChatUnderTest {
  const sidecar = options.sidecar ?? new FakeSidecar();
  const roots = options.roots ?? [{ uri: root, name: 'orchard' }];
  const log: EditorLog = { opened: [], copied: [], inserted: [], files: [], commands: [], failures: [] };
  const sent: ExtensionMessage[] = [];
  const done = Promise.resolve();
  const editor: ChatEditor = {
    language: english,
    texts: options.texts ?? {},
    roots: () => roots,
    recall: (key) => remembered.get(key),
    remember: (key, value) => {
      remembered.set(key, value);
      return done;
    },
    createCancellation,
    openPlace: ({ root: uri, path: file, line, endLine }) => {
      log.opened.push({ root: uri, path: file, line, endLine });
      return done;
    },
    copy: (text) => {
      log.copied.push(text);
      return done;
    },
    insertAtCursor: (text) => {
      log.inserted.push(text);
      return done;
    },
    openAsNewFile: (text, language) => {
      log.files.push({ text, language });
      return done;
    },
    run: (command) => {
      log.commands.push(command);
      return done;
    },
    offerFolder: () => done,
    showFailure: (error) => {
      log.failures.push(error);
      return done;
    },
    answered: () => undefined,
  };
  const store = new ConversationStore(path.join(folder, 'conversations'), ({ file }) => {
    throw new Error(`${file} was set aside.`);
  });
  const post = (message: ExtensionMessage): void => {
    sent.push(message);
    options.post?.(message);
  };
  const chat = new Chat(sidecar, store, editor, post);
  const restarted = (): ChatUnderTest => chatOver(folder, remembered, { roots, ...options });
  return { chat, sidecar, store, log, sent, post, restarted };
}
