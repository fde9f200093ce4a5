import type { Connection } from 'vscode-languageserver';
import type { LocretNotifications } from '../protocol.js';
import type { Workspace } from '../workspace/workspace.js';
import { onLocretRequest } from './requests.js';

const leastMilliseconds = 100;

/** Tells the client of the workspace's status: at most every tenth of a second, and always the last state. */
export class StatusNotifications {
  private timer: NodeJS.Timeout | undefined;
  private lastSent = -Infinity;

  constructor(
    private readonly connection: Connection,
    private readonly workspace: () => Workspace,
  ) {}

  /** Something may have changed. */
  changed(): void {
    if (this.timer !== undefined) return;
    const left = this.lastSent + leastMilliseconds - performance.now();
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.lastSent = performance.now();
        const status: LocretNotifications['locret/status'] = this.workspace().status;
        void this.connection.sendNotification('locret/status', status);
      },
      Math.max(0, left),
    );
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** Answers `locret/status`, `locret/models` and `locret/unload`. */
export function serveStatus(connection: Connection, workspace: Workspace): void {
  onLocretRequest(connection, 'locret/status', () => Promise.resolve(workspace.status));
  onLocretRequest(connection, 'locret/models', () => workspace.models());
  onLocretRequest(connection, 'locret/unload', async () => {
    await workspace.unload();
    return workspace.status;
  });
}
