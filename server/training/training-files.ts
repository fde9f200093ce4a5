import { createHash } from 'node:crypto';
import path from 'node:path';
import { LocretError, systemErrorCode } from '../errors.js';
import { openRegularFile } from '../repository/open-regular-file.js';
import { outlineSource } from '../repository/outline.js';
import type { Definition, RepositoryFile } from '../repository/source.js';
import { surveyRepository, type SurveyHooks } from '../repository/survey.js';

/** Larger files are mostly data. */
const largestFile = 256 << 10;
/** One file in so many is held out. */
const heldOutShare = 10;

/** A source file of a repository that is trained on. */
export interface TrainingFile {
  readonly root: string;
  /** The repository's name. */
  readonly repository: string;
  readonly file: RepositoryFile;
}

/** Source files to train on, and others to measure on. */
export interface TrainingFiles {
  readonly training: readonly TrainingFile[];
  readonly heldOut: readonly TrainingFile[];
}

/** A file's text and outline. */
export interface SourceText {
  readonly lines: readonly string[];
  readonly definitions: readonly Definition[];
}

/** Whether a file is held out: its path alone decides, so that it is the same in every run. */
export function isHeldOut(filePath: string): boolean {
  return createHash('sha256').update(filePath).digest().readUInt32LE() % heldOutShare === 0;
}

/**
 * Finds the source files of some repositories: those that have an outline. A tenth of them is held out.
 * @throws LocretError repository-not-found, repository-empty (also when too few have an outline), cancelled
 */
export async function findTrainingFiles(repositories: readonly string[], hooks: SurveyHooks): Promise<TrainingFiles> {
  const files: TrainingFile[] = [];
  for (const repository of repositories) {
    const survey = await surveyRepository(repository, { maxFileBytes: largestFile, exclude: [], include: [] }, hooks);
    for (const file of survey.files) {
      if (file.language !== undefined) files.push({ root: survey.root, repository: survey.name, file });
    }
  }
  const heldOut = files.filter(({ file }) => isHeldOut(file.path));
  const training = files.filter(({ file }) => !isHeldOut(file.path));
  if (training.length === 0 || heldOut.length === 0) {
    throw new LocretError(
      'repository-empty',
      `${repositories.join(', ')}: ${training.length} source files to train on and ${heldOut.length} to measure on were ` +
        'found; at least one of each is needed.',
      'Name more repositories, or larger ones, with --repo.',
    );
  }
  return { training, heldOut };
}

/** Reads a file as it is now; undefined when it is gone or no text any more. */
export async function readSource({ root, file }: TrainingFile): Promise<SourceText | undefined> {
  let text: string;
  try {
    const opened = await openRegularFile(path.join(root, file.path));
    if (opened === undefined) return undefined;
    try {
      const bytes = opened.status.size > largestFile ? new Uint8Array(0) : await opened.handle.readFile();
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } finally {
      await opened.handle.close();
    }
  } catch (error) {
    if (error instanceof TypeError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
  const definitions = await outlineSource(file, text);
  return definitions.length === 0 ? undefined : { lines: text.split(/\r\n|\n|\r/), definitions };
}
