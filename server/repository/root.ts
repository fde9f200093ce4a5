import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';

/** The error for a root that exists and cannot be listed. */
export function unreadableRoot(root: string, cause: unknown): LocretError {
  return new LocretError(
    'repository-unreadable',
    `The folder ${root} cannot be read: ${messageOf(cause)}`,
    'Give yourself the right to list this folder, or name another one.',
    { cause },
  );
}

/**
 * The root's absolute path, links resolved.
 *
 * @throws LocretError `repository-not-found`, `repository-unreadable`
 */
export async function resolveRoot(root: string): Promise<string> {
  const absolute = path.resolve(root);
  let isFolder: boolean;
  let real: string;
  try {
    real = await realpath(absolute);
    isFolder = (await stat(real)).isDirectory();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadableRoot(absolute, error);
    const message = `The folder ${absolute} does not exist.`;
    throw new LocretError('repository-not-found', message, 'Name a folder that exists.', { cause: error });
  }
  if (isFolder) return real;
  throw new LocretError('repository-not-found', `${absolute} is not a folder.`, 'Name the folder of a repository.');
}
