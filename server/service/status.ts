import type { Workspace } from '../workspace/workspace.js';
import { noParams } from './params.js';
import type { UseCases } from './use-case.js';

/** What the workspace is at, and which models there are. */
export function status(workspace: Workspace): UseCases<'locret/status' | 'locret/models' | 'locret/unload'> {
  return {
    'locret/status': { parse: noParams, handle: () => Promise.resolve(workspace.status) },
    'locret/models': { parse: noParams, handle: () => workspace.models() },
    'locret/unload': {
      parse: noParams,
      handle: async () => {
        await workspace.unload();
        return workspace.status;
      },
    },
  };
}
