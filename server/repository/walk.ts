import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { SkippedFile } from '../contract/contents.js';
import { messageOf, systemErrorCode, throwIfCancelled } from '../errors.js';
import { gitFolderOf } from './git-folder.js';
import { IgnoreRules } from './ignore-rules.js';
import type { RepositoryPart } from './repository-part.js';
import { unreadableRoot } from './root.js';
import type { SurveyOptions } from './source.js';

/** What a walk comes upon: a file that git would track, or something that is skipped without being opened. */
export type Found = { readonly path: string } | { readonly skipped: SkippedFile };

/** `..` leaves the folder, and so does a path on another drive. */
function isInside(folder: string, absolutePath: string): boolean {
  const relative = path.relative(folder, absolutePath);
  return relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
}

/** What is to be said about a link; undefined when it leads to a place inside, which is read where it stands. */
async function skipLink(root: string, filePath: string): Promise<SkippedFile | undefined> {
  const absolutePath = path.join(root, filePath);
  try {
    const target = await realpath(absolutePath);
    if (isInside(root, target)) return undefined;
    return { path: filePath, reason: 'symlink-outside', detail: `it is a link to ${target}` };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return { path: filePath, reason: 'vanished', detail: 'it is a link to a file that does not exist' };
    }
    return { path: filePath, reason: 'unreadable', detail: messageOf(error) };
  }
}

type Kind = 'file' | 'folder' | 'link' | 'other';

async function kindOf(folder: string, entry: Dirent): Promise<Kind> {
  const tell = (status: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): Kind =>
    status.isFile() ? 'file' : status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'other';
  const told = tell(entry);
  const isSpecial = entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice();
  if (told !== 'other' || isSpecial) return told;
  // Some file systems do not tell kinds when a folder is listed.
  return lstat(path.join(folder, entry.name)).then(tell, () => 'file');
}

/**
 * Walks the files below a root that git would track: those `git ls-files --cached --others --exclude-standard` lists, as
 * far as they exist, plus what `.locretignore` brings back, less what it and the options leave out.
 *
 * - The root is the given folder itself; what lies above it only contributes ignore rules.
 * - A git repository inside the root's repository (a clone, a submodule) is not entered, as git does not track what is in
 *   it; it is reported. Where the root lies in no repository, the repositories in it are entered, each with its rules.
 * - Links are not followed: what they lead to inside the root is found where it stands. So nothing is read twice, and
 *   loops are none.
 * - Named pipes, sockets and devices are left out, as git leaves them out. `.git` is never entered.
 *
 * @param root absolute, links resolved
 * @param part what is looked at; only the folders on the way to it are listed besides. Undefined: everything
 * @throws LocretError `cancelled`; `repository-unreadable` when the root itself cannot be listed
 */
export async function* walkRepository(
  root: string,
  options: SurveyOptions,
  signal: AbortSignal | undefined,
  part?: RepositoryPart,
): AsyncGenerator<Found, void, undefined> {
  const { rules: rootRules, inGit } = await IgnoreRules.open(root, options);
  const open: { folder: string; rules: IgnoreRules }[] = [{ folder: '', rules: rootRules }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { folder, rules } = next;
    const absoluteFolder = path.join(root, folder);
    let entries: Dirent[];
    try {
      entries = await readdir(absoluteFolder, { withFileTypes: true });
    } catch (error) {
      if (folder === '') throw unreadableRoot(root, error);
      yield { skipped: { path: `${folder}/`, reason: 'unreadable', detail: messageOf(error) } };
      continue;
    }
    for (const entry of entries) {
      throwIfCancelled(signal, 'Surveying the repository');
      if (entry.name === '.git') continue;
      const filePath = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (part?.leadsTo(filePath) === false) continue;
      const absolutePath = path.join(absoluteFolder, entry.name);
      const kind = await kindOf(absoluteFolder, entry);
      if (kind === 'folder') {
        if (!rules.keepsFolder(absolutePath)) continue;
        const git = await gitFolderOf(absolutePath);
        if (git === undefined) {
          open.push({ folder: filePath, rules: await rules.enter(absolutePath) });
        } else if (inGit) {
          const detail = 'it is a git repository of its own; read it by itself';
          yield { skipped: { path: `${filePath}/`, reason: 'nested-repository', detail } };
        } else {
          open.push({ folder: filePath, rules: await rules.enterRepository(absolutePath, git) });
        }
      } else if (kind !== 'other' && rules.keepsFile(absolutePath)) {
        if (kind === 'file') {
          yield { path: filePath };
        } else {
          const skipped = await skipLink(root, filePath);
          if (skipped !== undefined) yield { skipped };
        }
      }
    }
  }
}
