import type { Connection } from 'vscode-languageserver';
import type { Workspace } from '../workspace/workspace.js';
import { onLocretRequest } from './requests.js';

/** Answers `locret/status`, `locret/models` and `locret/unload`. */
export function serveStatus(connection: Connection, workspace: Workspace): void {
  onLocretRequest(connection, 'locret/status', () => Promise.resolve(workspace.status));
  onLocretRequest(connection, 'locret/models', () => workspace.models());
  onLocretRequest(connection, 'locret/unload', async () => {
    await workspace.unload();
    return workspace.status;
  });
}
