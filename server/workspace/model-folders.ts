import os from 'node:os';
import path from 'node:path';
import { bundledModels } from '../model/catalog.js';

/** Where users put models of their own: $XDG_DATA_HOME/locret/models, or the system's own folder for such data. */
function ownModels(): string {
  const chosen = process.env['XDG_DATA_HOME'];
  if (chosen !== undefined && path.isAbsolute(chosen)) return path.join(chosen, 'locret', 'models');
  if (process.platform === 'darwin')
    return path.join(os.homedir(), 'Library', 'Application Support', 'locret', 'models');
  const local = process.env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local !== undefined && local !== '') return path.join(local, 'locret', 'models');
  return path.join(os.homedir(), '.local', 'share', 'locret', 'models');
}

/** Folders whose subfolders are models, the bundled ones first. */
export function modelFolders(): readonly string[] {
  return [bundledModels(), ownModels()];
}
