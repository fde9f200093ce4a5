import type { ChangedFile } from '../../contract/contents.js';
import { detectChanges, type RepositoryChanges } from '../../repository/changes.js';
import type { RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';

/** What was read, and by which rules. */
export interface ReadSources {
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** As they were when they were read. */
  readonly files: readonly RepositoryFile[];
}

/** More paths than this are a change of everything: a branch was switched, or a build has run. */
const mostTouched = 1_000;

/** Watchers lose changes without telling: this long after everything was looked at it is looked at again. Milliseconds. */
const longestTrust = 10 * 60_000;

/**
 * Compares what was read with the disk. Where nobody tells what changes there, everything is looked at each time; where
 * every change is told, only what was touched.
 */
export class DiskChanges {
  private last: RepositoryChanges | undefined;
  /** Touched since `last`; undefined: anything may have been. */
  private touched: Set<string> | undefined;
  private isWatched = false;
  /** When everything was last looked at. */
  private lookedAt = -Infinity;
  private comparing: Promise<unknown> = Promise.resolve();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(
    private readonly read: ReadSources,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Those that the last comparison found; none before there was one. */
  get changed(): readonly ChangedFile[] {
    return this.last?.changed ?? [];
  }

  /** From now on every change is told by {@link touch}. What changed before is looked for once. */
  watch(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    this.touchAll();
  }

  /** A file or folder may have changed. @param path relative to the root, with forward slashes; empty: the root itself */
  touch(path: string): void {
    this.touched?.add(path);
    if ((this.touched?.size ?? 0) > mostTouched) this.touchAll();
  }

  /** Anything may have changed. */
  touchAll(): void {
    this.touched = undefined;
  }

  /**
   * What follows when these changes were folded in: everything else is known of what was read then, too.
   * @param sources what is read now
   * @param folded the changes, on which `sources` are based
   */
  after(sources: ReadSources, folded: RepositoryChanges): DiskChanges {
    const next = new DiskChanges(sources, this.now);
    next.isWatched = this.isWatched;
    next.last = { changed: [], survey: folded.survey, added: [] };
    // What was folded in may have changed again while it was read.
    const changed = [...folded.changed, ...this.changed].map(({ path }) => path);
    next.touched = this.touched && new Set([...this.touched, ...changed]);
    next.lookedAt = this.lookedAt;
    return next;
  }

  /**
   * What has changed on disk since it was read, and the repository as it is now.
   * @throws LocretError `repository-unreadable`, `cancelled`
   */
  compare(signal?: AbortSignal): Promise<RepositoryChanges> {
    // One after the other: each goes on from what the one before found.
    const result = this.comparing.then(() => this.compareNow(signal));
    this.comparing = result.catch(() => undefined);
    return result;
  }

  /**
   * Somebody found files that differ from what was read, of which the last comparison does not know. Where every change
   * should have been told, others may not have been told either: then everything is looked at.
   */
  async missed(paths: readonly string[], signal?: AbortSignal): Promise<void> {
    if (!this.isWatched) return;
    for (const path of paths) this.touch(path);
    const { changed } = await this.compare(signal);
    if (!changed.some(({ path }) => paths.includes(path))) return;
    this.touchAll();
    await this.compare(signal);
  }

  private async compareNow(signal: AbortSignal | undefined): Promise<RepositoryChanges> {
    const { last, touched, read } = this;
    const isTrusted = this.isWatched && this.now() - this.lookedAt < longestTrust;
    const since = last !== undefined && touched !== undefined && isTrusted ? { changes: last, touched } : undefined;
    if (since?.touched.size === 0) return since.changes;
    const begun = this.now();
    // What is touched from now on may be touched too late for this comparison.
    this.touched = this.isWatched ? new Set() : undefined;
    try {
      this.last = await detectChanges(read.survey, read.files, read.options, { signal, since });
      if (since === undefined) this.lookedAt = begun;
      return this.last;
    } catch (error) {
      this.touched = touched && this.touched && new Set([...touched, ...this.touched]);
      throw error;
    }
  }
}
