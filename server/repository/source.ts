import type { SkippedFile } from '../contract/contents.js';
import type { DefinitionKind } from '../contract/words.js';

/** A text file of the repository, without its text. */
export interface RepositoryFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Modification time, milliseconds. */
  readonly modified: number;
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly lines: number;
  /** Name of the grammar its outline comes from; undefined for plain text. */
  readonly language: string | undefined;
}

/** Every file of a repository that is to be read, in stream order, and what is left out, with reasons. */
export interface Survey {
  /** Absolute path. */
  readonly root: string;
  readonly name: string;
  readonly files: readonly RepositoryFile[];
  readonly skipped: readonly SkippedFile[];
  readonly bytes: number;
}

/** A named definition in a file. Lines are 1-based and inclusive and cover its leading documentation comment. */
export interface Definition {
  readonly name: string;
  readonly kind: DefinitionKind;
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  /** Line on which the name itself stands. */
  readonly nameLine: number;
  /** Name of the enclosing definition. */
  readonly container: string | undefined;
}

export interface SurveyOptions {
  /** Larger files are skipped, bytes. */
  readonly maxFileBytes: number;
  /** Further patterns in .gitignore syntax. */
  readonly exclude: readonly string[];
  /** When not empty, only files that match one of these patterns. */
  readonly include: readonly string[];
}
