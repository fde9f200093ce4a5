import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import * as vscode from 'vscode';

/** The folder that is open: the sample repository. */
export function openFolder(): vscode.WorkspaceFolder {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'No folder is open.');
  return folder;
}

export function fileInFolder(path: string): vscode.Uri {
  return vscode.Uri.joinPath(openFolder().uri, path);
}

/** Shows a file of the folder. */
export async function showFile(path: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(fileInFolder(path)));
}

/** The 1-based line on which a text stands first. */
export function lineOf(document: vscode.TextDocument, text: string): number {
  const index = document.getText().indexOf(text);
  assert.notEqual(index, -1, `${document.uri.path} has no ${text}`);
  return document.positionAt(index).line + 1;
}

/**
 * Asks again and again until there is an answer.
 *
 * @throws Error that says what was waited for after a minute
 */
export async function until<Value>(what: string, ask: () => Thenable<Value | undefined>): Promise<Value> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const value = await ask();
    if (value !== undefined) return value;
    await setTimeout(20);
  }
  throw new Error(`Waited in vain for ${what}.`);
}

/** A report about the folder. Its provider waits until the sidecar has started. */
export function reportDocument(name: 'plan' | 'coverage' | 'models'): Thenable<vscode.TextDocument> {
  const query = openFolder().uri.toString();
  return vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: 'locret-report', path: `/${name}.md`, query }));
}

let reading: Thenable<unknown> | undefined;

/** Reads the folder, once for all tests: asked a second time, the command would ask back. */
export async function readFolder(): Promise<void> {
  reading ??= vscode.commands.executeCommand('locret.read', openFolder().uri.toString());
  await reading;
}
