import path from 'node:path';
import * as vscode from 'vscode';
import { registerChat } from './chat/register-chat.js';
import { registerCommands } from './commands/register-commands.js';
import { registerInline } from './inline/register-inline.js';
import { registerLanguageModel } from './language-model/register-language-model.js';
import { registerMemoryView } from './memory-view/register-memory-view.js';
import { readableFolders } from './places/places.js';
import { LocalSidecar } from './sidecar/local-sidecar.js';
import { registerContextKeys } from './status/context-keys.js';
import { registerStatusBar } from './status/status-bar.js';

let end: (() => Promise<void>) | undefined;

/**
 * Puts everything in its place. The sidecar's process starts when there is a folder to read, and nobody waits for it here;
 * it loads no model and reads nothing before it is asked to.
 */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Locret', { log: true });
  const sidecar = new LocalSidecar(path.join(context.extensionPath, 'dist', 'sidecar.js'), log);
  // Subscriptions are disposed before `deactivate` has ended: what it needs until then is not among them.
  end = async () => {
    await sidecar.close();
    log.dispose();
  };
  context.subscriptions.push(sidecar);

  const chat = registerChat(context, sidecar);
  registerInline(context, sidecar, chat);
  registerMemoryView(context, sidecar);
  registerLanguageModel(context, sidecar);
  registerCommands(context, { sidecar, chat, log });
  registerStatusBar(context, sidecar);
  registerContextKeys(context, sidecar);

  const startWithFolder = (): void => {
    if (readableFolders().length > 0) sidecar.start();
  };
  startWithFolder();
  context.subscriptions.push(vscode.workspace.onDidChangeWorkspaceFolders(startWithFolder));
}

/** Ends the sidecar: it saves what it has read and frees the model's memory. */
export async function deactivate(): Promise<void> {
  await end?.();
}
