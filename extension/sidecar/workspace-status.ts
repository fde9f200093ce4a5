import type { RootState, WorkspaceStatus } from '../../server/protocol.js';

const busyStates: readonly RootState[] = ['loading', 'reading', 'updating'];

/** True while a model is loaded or files pass through it. */
export function isBusy(status: WorkspaceStatus): boolean {
  return status.roots.some(({ state }) => busyStates.includes(state));
}

/** What remains of a status when the process that told it is gone: no model, no memory, nothing going on. */
export function statusWithoutProcess({ model, roots }: WorkspaceStatus): WorkspaceStatus {
  return {
    model,
    roots: roots.map(({ root, name, snapshot }) => ({
      root,
      name,
      state: 'idle',
      snapshot,
      answering: false,
      notices: [],
    })),
  };
}
