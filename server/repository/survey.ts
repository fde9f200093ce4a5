import path from 'node:path';
import type { SkippedFile } from '../contract/contents.js';
import type { SkipReason } from '../contract/words.js';
import { LocretError, throwIfCancelled } from '../errors.js';
import { inspectFile, pieceBytes, type InspectedFile, type OnText } from './inspect.js';
import { orderFiles } from './order.js';
import type { RepositoryPart } from './repository-part.js';
import { resolveRoot } from './root.js';
import type { Survey, SurveyOptions } from './source.js';
import { walkRepository } from './walk.js';

/** Files that are read at the same time, each with a buffer of one piece. */
const readers = 8;

export interface SurveyHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called after each file with how many were found to be text or skipped so far. */
  readonly onFile?: ((filesSeen: number) => void) | undefined;
  /** Called with the content of each text file that is read, in no particular order; the survey itself holds none. */
  readonly onText?: OnText | undefined;
}

/** Runs `use` for each item that `items` yields, several at a time, each with a buffer of its own. */
async function forEachConcurrently<T>(
  items: AsyncGenerator<T, void, undefined>,
  use: (item: T, buffer: Buffer) => Promise<void>,
): Promise<void> {
  const work = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    for (let next = await items.next(); next.done !== true; next = await items.next()) await use(next.value, buffer);
  };
  await Promise.all(Array.from({ length: readers }, work));
}

/** Text files and skipped ones, in no particular order. */
export interface FoundFiles {
  readonly texts: readonly InspectedFile[];
  readonly skipped: readonly SkippedFile[];
}

/** In code-unit order: the same on every machine. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/**
 * Walks a repository and tells of each file whether it is a text to be read.
 *
 * @param root its real path
 * @param known a file that need not be read again, by its path
 * @param part what is walked; undefined: everything
 * @throws LocretError `repository-unreadable`, `cancelled`
 */
export async function findFiles(
  root: string,
  options: SurveyOptions,
  hooks: SurveyHooks,
  known: (filePath: string) => Promise<InspectedFile | undefined>,
  part?: RepositoryPart,
): Promise<FoundFiles> {
  const texts: InspectedFile[] = [];
  const skipped: SkippedFile[] = [];
  await forEachConcurrently(walkRepository(root, options, hooks.signal, part), async (found, buffer) => {
    throwIfCancelled(hooks.signal, 'Surveying the repository');
    if ('skipped' in found) {
      skipped.push(found.skipped);
    } else {
      const inspected =
        (await known(found.path)) ?? (await inspectFile(root, found.path, options.maxFileBytes, buffer, hooks.onText));
      if ('file' in inspected) texts.push(inspected);
      else skipped.push({ path: found.path, ...inspected });
    }
    hooks.onFile?.(texts.length + skipped.length);
  });
  throwIfCancelled(hooks.signal, 'Surveying the repository');
  return { texts, skipped: skipped.sort(byPath) };
}

/** `3 binary, 1 too-large` */
function countReasons(skipped: readonly SkippedFile[]): string {
  const counts = new Map<SkipReason, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}

/**
 * Finds every text file of a repository, in the order in which it is to be read, and what is left out, with reasons.
 * Each file is read once, in pieces, to be hashed; no texts are held. What belongs to the repository is told by
 * {@link walkRepository}, the order by {@link orderFiles}. The root is the given folder, links resolved; its name is the
 * survey's.
 *
 * @param root absolute, or relative to the working directory
 * @throws LocretError `repository-not-found`, `repository-empty`, `repository-unreadable`, `cancelled`
 */
export async function surveyRepository(root: string, options: SurveyOptions, hooks: SurveyHooks = {}): Promise<Survey> {
  const realRoot = await resolveRoot(root);
  const { texts, skipped } = await findFiles(realRoot, options, hooks, () => Promise.resolve(undefined));
  if (texts.length === 0) {
    throw new LocretError(
      'repository-empty',
      skipped.length === 0
        ? `The folder ${realRoot} holds no files to read.`
        : `The folder ${realRoot} holds no text to read; what it holds is skipped: ${countReasons(skipped)}.`,
      'Name a folder with source text, or check .gitignore, .locretignore and the limit of file sizes.',
    );
  }
  return surveyOf(realRoot, orderFiles(texts), skipped);
}

/** A survey of these files, in this order. */
export function surveyOf(root: string, files: Survey['files'], skipped: Survey['skipped']): Survey {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const name = path.basename(root);
  return { root, name: name === '' ? root : name, files, skipped, bytes };
}
