import { messageOf } from '../errors.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import type { CurrentFiles } from './current-files.js';
import { changeNotices } from './notices.js';

/** What is found out beside the answer: which files changed. A failure is not lost, nor does it fail the answer. */
export interface ChangeSearch {
  /** Resolves when the search has ended. */
  readonly ended: Promise<void>;
  /**
   * What is to be said of changes, in sentences.
   * @param files that were re-read for the answer: what was seen there counts, too
   */
  notices(files: CurrentFiles): Promise<readonly string[]>;
}

/** Begins to look for files that changed since they were read. */
export function searchChanges(memory: RepositoryMemory, signal: AbortSignal | undefined): ChangeSearch {
  const failureOf = (search: Promise<unknown>): Promise<string | undefined> =>
    search.then(
      () => undefined,
      (error: unknown) => `Whether files changed since the repository was read is not known: ${messageOf(error)}`,
    );
  const searching = failureOf(memory.detectChanges(signal));
  return {
    ended: searching.then(() => undefined),
    notices: async (files) => {
      let failure = await searching;
      const known = new Set(memory.coverage().changed.map(({ path }) => path));
      const missed = [...files.differing].filter((path) => !known.has(path));
      if (failure === undefined && missed.length > 0) failure = await failureOf(memory.changesMissed(missed, signal));
      return failure === undefined ? changeNotices(memory.coverage()) : [failure];
    },
  };
}
