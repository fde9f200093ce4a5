import type { RootState, RootStatus, WorkspaceStatus } from '../../server/contract/protocol.js';

const busyStates: readonly RootState[] = ['loading', 'reading', 'updating'];

/** True while the model is loaded for a root, or files of it pass through the model. */
export function isBusy({ state }: RootStatus): boolean {
  return busyStates.includes(state);
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
