import os from 'node:os';
import path from 'node:path';
import { bundledModels } from '../model/catalog.js';

/** Where users keep what they made or fetched: $XDG_DATA_HOME/locret, or the system's own folder for such data. */
function dataFolder(): string {
  const chosen = process.env['XDG_DATA_HOME'];
  if (chosen !== undefined && path.isAbsolute(chosen)) return path.join(chosen, 'locret');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support', 'locret');
  const local = process.env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local !== undefined && local !== '') return path.join(local, 'locret');
  return path.join(os.homedir(), '.local', 'share', 'locret');
}

/** Folders whose subfolders are models: the bundled ones first, then the user's own. */
export function modelFolders(): readonly string[] {
  return [bundledModels(), path.join(dataFolder(), 'models')];
}

/** Where heads are kept that were trained for models whose own folder is not to be written to. */
export function headsFolder(): string {
  return path.join(dataFolder(), 'heads');
}
