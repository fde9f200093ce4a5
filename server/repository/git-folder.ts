import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Settings and lists of git are small; what is larger is none. */
const maxBytes = 1 << 20;

/** The text of a small file that may be missing or unreadable; undefined then. */
export async function readSmallFile(filePath: string): Promise<string | undefined> {
  try {
    const status = await stat(filePath);
    return status.isFile() && status.size <= maxBytes ? await readFile(filePath, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

async function isFolder(filePath: string): Promise<boolean> {
  return stat(filePath).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** Where git keeps its data about a work tree. */
export interface GitFolder {
  /** The work tree's own: index, HEAD. */
  readonly own: string;
  /** Shared by the work trees of one repository: config, info/exclude. */
  readonly common: string;
}

/** The git data of a work tree's top folder; undefined when the folder is none. */
export async function gitFolderOf(folder: string): Promise<GitFolder | undefined> {
  const dotGit = path.join(folder, '.git');
  const link = /^gitdir: (.+?)\r?\n?$/.exec((await readSmallFile(dotGit)) ?? '')?.[1];
  const own = link === undefined ? dotGit : path.resolve(folder, link);
  if ((await readSmallFile(path.join(own, 'HEAD'))) === undefined) return undefined;
  const commonLink = (await readSmallFile(path.join(own, 'commondir')))?.trim();
  const common = commonLink === undefined || commonLink === '' ? own : path.resolve(own, commonLink);
  return (await isFolder(path.join(common, 'objects'))) ? { own, common } : undefined;
}

/** A path as git's settings write it, `~` for the home folder. */
function expandHome(value: string): string {
  return value.startsWith('~/') ? path.join(os.homedir(), value.slice(2)) : value;
}

/** The last value of each `section.key`, both in lower case. Sections with names in quotes are left out. */
function parseSettings(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const header = /^\s*\[([^\]]*)\]/.exec(line);
    const body = header === null ? line : line.slice(header[0].length);
    if (header?.[1] !== undefined) section = header[1].trim().toLowerCase();
    const [, key, value] = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=(.*))?$/.exec(body) ?? [];
    if (key === undefined) continue;
    const quoted = /^\s*"((?:[^"\\]|\\.)*)"/.exec(value ?? '')?.[1]?.replaceAll(/\\(.)/g, '$1');
    values.set(`${section}.${key.toLowerCase()}`, quoted ?? (value ?? 'true').replace(/\s*[;#].*$/, '').trim());
  }
  return values;
}

/** What git's settings say that decides which files it tracks. */
export interface GitSettings {
  /** Absolute path of the global list of excludes. */
  readonly excludesFile: string;
  readonly ignoreCase: boolean;
  /** Bytes of an object's name: 20 for SHA-1, 32 for SHA-256. */
  readonly hashBytes: number;
}

/**
 * Reads git's settings: the system's, the user's, the repository's. `include` sections are not followed.
 *
 * @param folder the repository's; undefined for a folder that is in none
 */
export async function readGitSettings(folder: GitFolder | undefined): Promise<GitSettings> {
  const home = os.homedir();
  const configHome = process.env['XDG_CONFIG_HOME'] ?? '';
  const userFolder = path.join(configHome === '' ? path.join(home, '.config') : configHome, 'git');
  const userFile = process.env['GIT_CONFIG_GLOBAL'];
  const files = [
    process.env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig',
    ...(userFile === undefined ? [path.join(userFolder, 'config'), path.join(home, '.gitconfig')] : [userFile]),
    ...(folder === undefined ? [] : [path.join(folder.common, 'config')]),
  ];
  const values = new Map<string, string>();
  for (const file of files) {
    for (const [key, value] of parseSettings((await readSmallFile(file)) ?? '')) values.set(key, value);
  }
  const excludesFile = values.get('core.excludesfile');
  return {
    excludesFile: excludesFile === undefined ? path.join(userFolder, 'ignore') : expandHome(excludesFile),
    ignoreCase: ['true', 'yes', 'on', '1'].includes(values.get('core.ignorecase')?.toLowerCase() ?? ''),
    hashBytes: values.get('extensions.objectformat') === 'sha256' ? 32 : 20,
  };
}
