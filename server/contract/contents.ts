import type { RootParams } from './roots.js';
import type { DefinitionKind, SkipReason } from './words.js';

export interface SkippedFile {
  /** Relative to the root, with forward slashes; a whole folder ends in a slash. */
  readonly path: string;
  readonly reason: SkipReason;
  /** The particulars, for people: size and limit, the system's message, … */
  readonly detail: string;
}

/** A file that differs from what was read. */
export interface ChangedFile {
  readonly path: string;
  readonly change: 'modified' | 'added' | 'removed';
}

/** A file that was read. */
export interface ReadFile {
  readonly path: string;
  readonly tokens: number;
}

/** Which files a memory rests on. */
export interface CoverageResult {
  readonly read: readonly ReadFile[];
  readonly skipped: readonly SkippedFile[];
  readonly changed: readonly ChangedFile[];
}

/** The share of a file's cache units that were kept, averaged over layers and KV heads. */
export interface FileRetention {
  readonly path: string;
  readonly tokens: number;
  /** 0..1 */
  readonly kept: number;
}

/** What is remembered, by file, in the order in which they were read. */
export interface RetentionResult {
  readonly files: readonly FileRetention[];
  /** The share of all cache units of the repository that is kept, 0..1. */
  readonly kept: number;
}

export interface LineRetentionParams extends RootParams {
  readonly path: string;
}

export interface LineRetentionResult {
  /** Per line (index 0 is line 1) the share of its cache units that is kept, 0..1; -1 where no token begins. */
  readonly kept: readonly number[];
  /** SHA-256 of the file as it was read, hex: another text has other lines. */
  readonly hash: string;
}

/** A place in a document as the client has it open (unsaved text counts) or as it is on disk. */
export interface DefinitionAtParams {
  readonly uri: string;
  readonly line: number;
}

export interface DefinitionAtResult {
  readonly name: string;
  readonly kind: DefinitionKind;
  readonly line: number;
  readonly endLine: number;
  readonly container?: string | undefined;
}
