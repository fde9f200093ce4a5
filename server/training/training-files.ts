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

/** A number of 32 bits that a path alone decides, so that it is the same in every run. */
function pathNumber(filePath: string): number {
  return createHash('sha256').update(filePath).digest().readUInt32LE();
}

/**
 * Holds out a tenth of the files, and at least one. Their paths alone decide, so that a file is on the same side in every
 * run, whatever else there is.
 */
export function splitFiles(files: readonly TrainingFile[]): TrainingFiles {
  const numbers = files.map(({ file }) => pathNumber(file.path));
  const isHeldOut = numbers.map((number) => number % heldOutShare === 0);
  // In a small repository chance may hold out nothing, or everything.
  const lowest = numbers.indexOf(numbers.reduce((least, number) => Math.min(least, number), Infinity));
  if (!isHeldOut.includes(true)) isHeldOut[lowest] = true;
  else if (!isHeldOut.includes(false)) isHeldOut[lowest] = false;
  return {
    training: files.filter((_, index) => isHeldOut[index] === false),
    heldOut: files.filter((_, index) => isHeldOut[index] === true),
  };
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
  if (files.length < 2) {
    throw new LocretError(
      'repository-empty',
      `${repositories.join(', ')}: source files with definitions: ${files.length}. Two are needed at least, one to train ` +
        'on and one to measure on.',
      'Name more repositories, or larger ones, with --repo.',
    );
  }
  return splitFiles(files);
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
