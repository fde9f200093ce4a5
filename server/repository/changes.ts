import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { isLocretError } from '../errors.js';
import type { InspectedFile } from './inspect.js';
import { orderFiles } from './order.js';
import { resolveRoot } from './root.js';
import type { ChangedFile, RepositoryFile, Survey, SurveyOptions } from './source.js';
import { findFiles, surveyOf, type FoundFiles, type SurveyHooks } from './survey.js';

/** What changed in a repository since it was read, and the repository as it is now. */
export interface RepositoryChanges {
  /** By path. */
  readonly changed: readonly ChangedFile[];
  /**
   * Files that were read keep their place, those added stand behind them in the order of a survey of their own: so an
   * unchanged repository has an unchanged order.
   */
  readonly survey: Survey;
}

/** The files as they are now; a root that is gone has none. */
async function findCurrent(
  survey: Survey,
  read: ReadonlyMap<string, RepositoryFile>,
  options: SurveyOptions,
  hooks: SurveyHooks,
): Promise<FoundFiles> {
  const unchanged = async (filePath: string): Promise<InspectedFile | undefined> => {
    const file = read.get(filePath);
    if (file === undefined || file.bytes > options.maxFileBytes) return undefined;
    const status = await lstat(path.join(survey.root, filePath)).catch(() => undefined);
    const isSame = status?.isFile() === true && status.size === file.bytes && status.mtimeMs === file.modified;
    return isSame ? { file, imports: [] } : undefined;
  };
  try {
    const root = await resolveRoot(survey.root);
    return await findFiles(root, options, hooks, unchanged);
  } catch (error) {
    if (isLocretError(error, 'repository-not-found')) return { texts: [], skipped: [] };
    throw error;
  }
}

/**
 * Compares a repository on disk with what was read of it, by the rules of a survey. Files of the same size and
 * modification time are taken to be the same; the others are hashed, so a file that was only touched is not reported.
 *
 * @param survey what the read was based on
 * @param readFiles the files as they were read: see `onFileEnd` of the stream
 * @param onText gets the content of each file that had to be read for it
 * @throws LocretError `repository-unreadable`, `cancelled`
 */
export async function detectChanges(
  survey: Survey,
  readFiles: readonly RepositoryFile[],
  options: SurveyOptions,
  signal?: AbortSignal,
  onText?: SurveyHooks['onText'],
): Promise<RepositoryChanges> {
  const read = new Map(readFiles.map((file) => [file.path, file]));
  const { texts, skipped } = await findCurrent(survey, read, options, {
    ...(signal === undefined ? {} : { signal }),
    ...(onText === undefined ? {} : { onText }),
  });
  const current = new Map(texts.map(({ file }) => [file.path, file]));
  const changed: ChangedFile[] = [];
  const kept: RepositoryFile[] = [];
  for (const file of readFiles) {
    const now = current.get(file.path);
    if (now === undefined) {
      changed.push({ path: file.path, change: 'removed' });
      continue;
    }
    kept.push(now);
    if (now.hash !== file.hash) changed.push({ path: file.path, change: 'modified' });
  }
  const added = orderFiles(texts.filter(({ file }) => !read.has(file.path)));
  for (const { path: filePath } of added) changed.push({ path: filePath, change: 'added' });
  changed.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { changed, survey: surveyOf(survey.root, [...kept, ...added], skipped) };
}
