import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ExtensionMessage, PageMessage } from './messages.js';
import { pageHtml } from './page-html.js';
import { pageMessageOf } from './page-message.js';

const view = 'locret.chat';

/** The page of the chat panel while its view is shown. */
export class ChatPage implements vscode.WebviewViewProvider {
  private shown: vscode.WebviewView | undefined;
  /** True from the page's first message on: earlier messages would be lost. */
  private isReady = false;
  private readonly waiting: ExtensionMessage[] = [];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly onMessage: (message: PageMessage) => void,
  ) {}

  /** Sends a message to the page if there is one; one that is built later is sent the whole state. */
  post(message: ExtensionMessage): void {
    if (this.isReady) void this.shown?.webview.postMessage(message);
  }

  /** Shows the view, and sends the page a message when it can take it. */
  async reveal(message?: ExtensionMessage): Promise<void> {
    if (message !== undefined) this.waiting.push(message);
    await vscode.commands.executeCommand(`${view}.focus`);
    if (this.isReady) this.sendWaiting();
  }

  register(): vscode.Disposable {
    return vscode.window.registerWebviewViewProvider(view, this);
  }

  resolveWebviewView(resolved: vscode.WebviewView): void {
    this.shown = resolved;
    this.isReady = false;
    const folder = vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview');
    const { webview } = resolved;
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    const messages = webview.onDidReceiveMessage((value: unknown) => {
      this.receive(value);
    });
    const visibility = resolved.onDidChangeVisibility(() => {
      // A hidden page is gone; it is built anew when it is shown, and says so.
      if (!resolved.visible) this.isReady = false;
    });
    resolved.onDidDispose(() => {
      messages.dispose();
      visibility.dispose();
      if (this.shown !== resolved) return;
      this.shown = undefined;
      this.isReady = false;
    });
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.html = pageHtml({
      script: address('chat.js'),
      style: address('style.css'),
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64'),
      language: vscode.env.language,
      title: 'Locret',
    });
  }

  private receive(value: unknown): void {
    const message = pageMessageOf(value);
    if (message === undefined) return;
    this.isReady = true;
    this.onMessage(message);
    if (message.type === 'ready') this.sendWaiting();
  }

  private sendWaiting(): void {
    for (const message of this.waiting.splice(0)) this.post(message);
  }
}
