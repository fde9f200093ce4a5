import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ChangedFile, SkippedFile } from '../contract/contents.js';
import { isLocretError } from '../errors.js';
import type { InspectedFile } from './inspect.js';
import { orderFiles } from './order.js';
import { RepositoryPart } from './repository-part.js';
import { resolveRoot } from './root.js';
import type { RepositoryFile, Survey, SurveyOptions } from './source.js';
import { byPath, findFiles, surveyOf, type FoundFiles, type SurveyHooks } from './survey.js';

/** What changed in a repository since it was read, and the repository as it is now. */
export interface RepositoryChanges {
  /** By path. */
  readonly changed: readonly ChangedFile[];
  /**
   * Files that were read keep their place, those added stand behind them in the order of a survey of their own: so an
   * unchanged repository has an unchanged order.
   */
  readonly survey: Survey;
  /** Files that were not read, with what they import: their order is made anew when others come. */
  readonly added: readonly InspectedFile[];
}

/** A comparison that was made, and what may have changed on disk after it. */
export interface ComparedBefore {
  readonly changes: RepositoryChanges;
  /** Of files and folders, relative to the root, with forward slashes. */
  readonly touched: Iterable<string>;
}

export interface CompareOptions {
  readonly signal?: AbortSignal | undefined;
  /** Everything else is as it was then, and is not looked at. Undefined: everything is looked at. */
  readonly since?: ComparedBefore | undefined;
  /** Called with the content of each text file that had to be read. */
  readonly onText?: SurveyHooks['onText'];
}

/** The files as they are now, of a part or of everything. */
async function findCurrent(
  survey: Survey,
  read: ReadonlyMap<string, RepositoryFile>,
  options: SurveyOptions,
  hooks: SurveyHooks,
  part: RepositoryPart | undefined,
): Promise<FoundFiles> {
  const unchanged = async (filePath: string): Promise<InspectedFile | undefined> => {
    const file = read.get(filePath);
    if (file === undefined || file.bytes > options.maxFileBytes) return undefined;
    const status = await lstat(path.join(survey.root, filePath)).catch(() => undefined);
    const isSame = status?.isFile() === true && status.size === file.bytes && status.mtimeMs === file.modified;
    return isSame ? { file, imports: [] } : undefined;
  };
  const root = await resolveRoot(survey.root);
  return findFiles(root, options, hooks, unchanged, part);
}

/**
 * Where paths lead to: a file may be changed through a link to it, or to a folder above it, and is known by where it
 * stands. What is gone leads nowhere else.
 */
async function withTargets(root: string, touched: Iterable<string>): Promise<Set<string>> {
  const paths = new Set(touched);
  for (const touchedPath of [...paths]) {
    const target = await realpath(path.join(root, touchedPath)).catch(() => undefined);
    if (target === undefined) continue;
    const relative = path.relative(root, target);
    const isInside = relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
    if (isInside) paths.add(relative.split(path.sep).join('/'));
  }
  return paths;
}

const placeOf = ({ path: skipped }: SkippedFile): string => skipped.replace(/\/$/, '');

/** What was found in a part, and everything else as it was. */
async function findSince(
  { changes, touched }: ComparedBefore,
  survey: Survey,
  read: ReadonlyMap<string, RepositoryFile>,
  options: SurveyOptions,
  hooks: SurveyHooks,
): Promise<FoundFiles> {
  const before = changes.survey;
  const skippedFolders = before.skipped.filter(({ path: skipped }) => skipped.endsWith('/')).map(placeOf);
  const touchedPart = RepositoryPart.concernedBy(await withTargets(survey.root, touched));
  // What lies in a folder that was not entered is not known: if anything is different there, everything is.
  const part = touchedPart.with(skippedFolders.filter((folder) => touchedPart.leadsTo(folder)));
  const found = await findCurrent(survey, read, options, hooks, part);
  // A folder on the way to the part may not be entered any more.
  const lookedAt = part.with(found.skipped.filter(({ path: skipped }) => skipped.endsWith('/')).map(placeOf));
  const added = new Map(changes.added.map((inspected) => [inspected.file.path, inspected]));
  const texts = new Map<string, InspectedFile>();
  for (const file of before.files) {
    if (!lookedAt.includes(file.path)) texts.set(file.path, added.get(file.path) ?? { file, imports: [] });
  }
  for (const inspected of found.texts) texts.set(inspected.file.path, inspected);
  const skipped = [...before.skipped.filter((file) => !lookedAt.includes(placeOf(file))), ...found.skipped];
  return { texts: [...texts.values()], skipped: skipped.sort(byPath) };
}

/**
 * Compares a repository on disk with what was read of it, by the rules of a survey. Files of the same size and
 * modification time are taken to be the same; the others are hashed, so a file that was only touched is not reported.
 * A root that is gone has no files.
 *
 * After an earlier comparison only what was touched since need be looked at: then what it takes does not grow with the
 * repository's files, and the outcome is that of a comparison of everything, as long as nothing else has changed.
 *
 * @param survey what the read was based on
 * @param readFiles the files as they were read: see `onFileEnd` of the stream
 * @throws LocretError `repository-unreadable`, `cancelled`
 */
export async function detectChanges(
  survey: Survey,
  readFiles: readonly RepositoryFile[],
  options: SurveyOptions,
  { signal, since, onText }: CompareOptions = {},
): Promise<RepositoryChanges> {
  const read = new Map(readFiles.map((file) => [file.path, file]));
  const finding =
    since === undefined
      ? findCurrent(survey, read, options, { signal, onText }, undefined)
      : findSince(since, survey, read, options, { signal, onText });
  const { texts, skipped } = await finding.catch((error: unknown): FoundFiles => {
    if (isLocretError(error, 'repository-not-found')) return { texts: [], skipped: [] };
    throw error;
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
  const added = texts.filter(({ file }) => !read.has(file.path));
  const ordered = orderFiles(added);
  for (const { path: filePath } of ordered) changed.push({ path: filePath, change: 'added' });
  return {
    changed: changed.sort(byPath),
    survey: surveyOf(survey.root, [...kept, ...ordered], skipped),
    added,
  };
}
