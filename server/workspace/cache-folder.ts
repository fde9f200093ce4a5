import os from 'node:os';
import path from 'node:path';

/** Where what can be made again is kept: $XDG_CACHE_HOME/locret, or the system's own folder for caches. */
export function cacheFolder(): string {
  const chosen = process.env['XDG_CACHE_HOME'];
  if (chosen !== undefined && path.isAbsolute(chosen)) return path.join(chosen, 'locret');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches', 'locret');
  const local = process.env['LOCALAPPDATA'];
  if (process.platform === 'win32' && local !== undefined && local !== '') return path.join(local, 'locret', 'cache');
  return path.join(os.homedir(), '.cache', 'locret');
}
