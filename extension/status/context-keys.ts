import * as vscode from 'vscode';
import type { WorkspaceStatus } from '../../server/contract/protocol.js';
import type { Sidecar } from '../sidecar/sidecar.js';

/** Keeps the context keys that menus, views and the walkthrough go by: what the memory of any root is at. */
export function registerContextKeys(context: vscode.ExtensionContext, sidecar: Sidecar): void {
  const known = new Map<string, boolean>();
  const set = ({ roots }: WorkspaceStatus): void => {
    const keys = {
      'locret.ready': roots.some(({ state }) => state === 'ready'),
      'locret.reading': roots.some(({ state }) => state === 'reading'),
      'locret.paused': roots.some(({ state }) => state === 'paused'),
      'locret.snapshot': roots.some(({ memory, snapshot }) => memory === undefined && snapshot),
    };
    for (const [key, value] of Object.entries(keys)) {
      if (known.get(key) === value) continue;
      known.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  };
  set(sidecar.status);
  context.subscriptions.push(sidecar.onDidChangeStatus(set));
}
