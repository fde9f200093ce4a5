import type { SkippedFile } from '../../contract/contents.js';
import type { ReadProgress } from '../../contract/roots.js';
import type { RepositoryFile, Survey } from '../../repository/source.js';
import { surveyOf } from '../../repository/survey.js';
import { DefinitionTable } from '../contents/definition-table.js';
import { type FileMap, SourceMap } from '../contents/source-map.js';

/** What was being read when reading stopped: its first tokens are in the cache. */
export interface OpenPart {
  /** The file as it was when it was opened; undefined: what stands before all files. */
  readonly file: RepositoryFile | undefined;
  /** Token index of its first token. */
  readonly begin: number;
}

/** What one session has read, up to the end of a chunk. */
export interface ReadPart {
  /** Files that were read whole. */
  readonly files: readonly FileMap[];
  /** Of those files. */
  readonly definitions: DefinitionTable;
  /** Files that turned out not to be readable. */
  readonly skipped: readonly SkippedFile[];
  readonly open: OpenPart | undefined;
  /** Tokens of an earlier session that were forgotten again. */
  readonly forgotten: number;
  readonly nextTokenIndex: number;
}

/** A reading that stopped on its way: all that going on needs, besides the engine's cache. */
export interface PartialReading {
  /** Files that were read whole. */
  readonly map: SourceMap;
  readonly definitions: DefinitionTable;
  readonly skipped: readonly SkippedFile[];
  readonly open: OpenPart | undefined;
  /** Without those that were forgotten again. */
  readonly tokensRead: number;
  readonly nextTokenIndex: number;
  /** Seconds of reading so far. */
  readonly seconds: number;
}

/** Keeps what was read, so that reading can go on after an interruption. */
export interface Keeper<Read> {
  /** Whether it is time to keep something while reading goes on. */
  isDue(): boolean;
  /** Called while the engine rests at the end of a chunk; its cache is what `read` stands for. */
  keep(read: Read, progress: ReadProgress): Promise<void>;
}

/** A reading of which nothing was done. */
export const nothingRead: PartialReading = {
  map: new SourceMap([]),
  definitions: new DefinitionTable(),
  skipped: [],
  open: undefined,
  tokensRead: 0,
  nextTokenIndex: 0,
  seconds: 0,
};

/** What was read before, and what a session has read behind it. */
export function joinReading(before: PartialReading, part: ReadPart, seconds: number): PartialReading {
  return {
    map: new SourceMap([...before.map.files, ...part.files]),
    definitions:
      before.definitions.length === 0
        ? part.definitions
        : DefinitionTable.of([...before.definitions, ...part.definitions]),
    skipped: [...before.skipped, ...part.skipped],
    open: part.open,
    tokensRead: before.tokensRead + part.nextTokenIndex - before.nextTokenIndex - part.forgotten,
    nextTokenIndex: part.nextTokenIndex,
    seconds: before.seconds + seconds,
  };
}

/** How a partial reading goes on in a repository as it is now. */
export interface ReadingOn {
  /** Everything: files that were read whole as they were then, whatever became of them, and behind them the rest. */
  readonly survey: Survey;
  /** Files to be read: first the one that was open. */
  readonly rest: readonly RepositoryFile[];
  /** The partial reading without what is told again by the survey or found out again by reading. */
  readonly before: PartialReading;
}

/**
 * Plans how a partial reading goes on. In a repository that has not changed, that is the survey's own order.
 * @param survey of the repository as it is now
 */
export function readOn(partial: PartialReading, survey: Survey): ReadingOn {
  const whole = partial.map.files.map(({ file }) => file);
  const read = new Set(whole.map(({ path }) => path));
  const unread = survey.files.filter(({ path }) => !read.has(path));
  const openPath = partial.open?.file?.path;
  const rest = [...unread.filter(({ path }) => path === openPath), ...unread.filter(({ path }) => path !== openPath)];
  const skipped = survey.skipped.filter(({ path }) => !read.has(path));
  const toldAgain = new Set([...rest, ...skipped].map(({ path }) => path));
  return {
    survey: surveyOf(survey.root, [...whole, ...rest], skipped),
    rest,
    before: { ...partial, skipped: partial.skipped.filter(({ path }) => !toldAgain.has(path)) },
  };
}
