import type { ChangedFile, FileRetention, SkippedFile } from '../../contract/contents.js';
import type { MemorySource } from '../../contract/words.js';
import type { Engine } from '../../engine/engine.js';
import type { LoadedModel } from '../../model/model.js';
import type { Definition, RepositoryFile, Survey } from '../../repository/source.js';

/** A place in the repository as it was read. Lines and columns are 1-based. */
export interface SourcePosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** The token indices of one file in the memory; `begin` is its header's first token. */
export interface FileTokens {
  readonly file: RepositoryFile;
  readonly begin: number;
  readonly end: number;
}

/** What was read and what was not. */
export interface Coverage {
  readonly filesRead: number;
  readonly tokensRead: number;
  readonly skipped: readonly SkippedFile[];
  /** Files that changed since they were read; known after `detectChanges`. */
  readonly changed: readonly ChangedFile[];
}

/**
 * A repository that was read: the engine's retained cache and what its units stand for. A question never changes it.
 */
export interface RepositoryMemory {
  readonly engine: Engine;
  readonly model: LoadedModel;
  readonly survey: Survey;
  readonly files: readonly FileTokens[];
  readonly definitions: readonly Definition[];
  readonly tokensRead: number;
  /** Seconds the read took; the time of the restore when it came from a snapshot. */
  readonly seconds: number;
  readonly source: MemorySource;
  /** Where a token stands; undefined for tokens of no file (the prompt's beginning). */
  locate(tokenIndex: number): SourcePosition | undefined;
  coverage(): Coverage;
  /** Compares the files on disk with what was read. */
  detectChanges(signal?: AbortSignal): Promise<readonly ChangedFile[]>;
  /** Looks again: somebody found that these files differ from what was read, and the comparison does not know of them. */
  changesMissed(paths: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Kept share of every file, in stream order. */
  retention(): Promise<readonly FileRetention[]>;
  /** For one file: kept share of each line's units, index 0 is line 1; NaN for lines without tokens. */
  lineRetention(path: string): Promise<Float32Array>;
}
