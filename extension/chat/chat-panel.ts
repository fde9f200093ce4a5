import * as vscode from 'vscode';
import type { RootUri, Turn as AnsweredTurn } from '../../server/contract/protocol.js';
import { turnAnsweredElsewhere } from '../conversation/conversation.js';
import { exportConversation } from '../conversation/export-conversation.js';
import type { ConversationStore } from '../conversation/store.js';
import { displayLanguage } from '../text/display-language.js';
import { showFailure } from '../failures/failures.js';
import { offerFolder } from '../places/folder-offer.js';
import { openPlace, readableFolders } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { Chat, type ChatEditor } from './chat.js';
import { ChatPage } from './chat-page.js';
import { insertAtCursor, openAsNewFile } from './code-destinations.js';

export interface AskOptions {
  readonly deep?: boolean;
  /** Default: what the panel asks. */
  readonly root?: RootUri;
}

/** The chat panel, as commands and other features use it. */
export class ChatPanel implements vscode.Disposable {
  private readonly chat: Chat;
  private readonly page: ChatPage;
  private readonly subscriptions: vscode.Disposable;

  constructor(context: vscode.ExtensionContext, sidecar: Sidecar, store: ConversationStore) {
    this.page = new ChatPage(context.extensionUri, (message) => void this.chat.handle(message));
    this.chat = new Chat(sidecar, store, chatEditor(context), (message) => {
      this.page.post(message);
    });
    this.subscriptions = vscode.Disposable.from(
      this.page.register(),
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        this.chat.postState();
      }),
    );
  }

  /** Shows the conversation that was shown when the window was closed. */
  async restore(): Promise<void> {
    await this.chat.restore();
  }

  /** Reveals the panel, puts the question there and answers it; resolves when it is answered. */
  async ask(question: string, options: AskOptions = {}): Promise<void> {
    await this.page.reveal();
    await this.chat.ask(question, options.deep === true ? 'deep' : 'memory', options.root);
  }

  /** Reveals the panel and puts a text into the composer. */
  async compose(text: string, options: AskOptions = {}): Promise<void> {
    const target = options.root === undefined ? {} : { target: options.root };
    await this.page.reveal({ type: 'compose', text, deep: options.deep === true, ...target });
  }

  /** Reveals the panel with a new conversation. */
  async newConversation(): Promise<void> {
    this.chat.conversations.startNew();
    await this.compose('');
  }

  /** Reveals the panel with the list of conversations. */
  async showConversations(): Promise<void> {
    await this.page.reveal({ type: 'showConversations' });
  }

  /** Opens the shown conversation as an unsaved Markdown document, in the folder that was asked first. */
  async exportConversation(): Promise<void> {
    const { conversation } = this.chat.conversations.shown;
    if (conversation.turns.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There is nothing to export yet: ask a question first.'));
      return;
    }
    const asked = conversation.turns[0]?.answers[0]?.root.uri;
    const folders = readableFolders();
    const folder = folders.find(({ uri }) => uri.toString() === asked) ?? folders[0];
    await exportConversation(conversation, folder?.uri);
  }

  /** Goes on in the panel, in a new conversation, with what was asked and answered elsewhere, oldest first. */
  async continueFrom(turns: readonly AnsweredTurn[], root: RootUri): Promise<void> {
    const [asked] = this.chat.rootsOf(root);
    if (asked === undefined) return;
    this.chat.conversations.startWith(turns.map((turn) => turnAnsweredElsewhere(turn, asked, Date.now())));
    await this.compose('', { root });
  }

  dispose(): void {
    this.subscriptions.dispose();
    this.chat.dispose();
  }
}

function chatEditor(context: vscode.ExtensionContext): ChatEditor {
  return {
    language: displayLanguage,
    texts: vscode.l10n.bundle ?? {},
    roots: () => readableFolders().map(({ uri, name }) => ({ uri: uri.toString(), name })),
    recall: (key) => context.workspaceState.get<string>(key),
    remember: async (key, value) => {
      await context.workspaceState.update(key, value);
    },
    createCancellation: () => new vscode.CancellationTokenSource(),
    openPlace: ({ root, path, line, endLine }) => openPlace(root, path, line, endLine),
    copy: async (text) => {
      await vscode.env.clipboard.writeText(text);
    },
    insertAtCursor,
    openAsNewFile,
    run: async (command) => {
      await vscode.commands.executeCommand(command);
    },
    offerFolder: async () => {
      await offerFolder();
    },
    showFailure,
    answered: () => {
      void vscode.commands.executeCommand('setContext', 'locret.asked', true);
    },
  };
}
