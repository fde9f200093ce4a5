import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ReadProgress } from '../../contract/roots.js';
import type { SurveyOptions } from '../../repository/source.js';
import { partialFile, readingIdentity, snapshotFile } from './cache-files.js';
import { partialProgress } from './partial-snapshot.js';
import type { PlannedModel } from '../planning/planned-model.js';

/** What decides, with the model's plan, where a memory is kept. */
export interface KeptMemory {
  readonly survey: SurveyOptions;
  /** Where snapshots and packed weights are kept. */
  readonly cacheFolder: string;
}

/** Where one memory is kept on disk, and what can be told of it without a model. */
export class MemoryFiles {
  /** The memory that was read whole. */
  readonly snapshot: string;
  /** A reading that was interrupted. */
  readonly partial: string;
  readonly lock: string;
  /** What both belong to. */
  readonly identity: string;

  constructor(planned: PlannedModel, settings: KeptMemory) {
    const origin = { ...planned, options: settings.survey };
    this.snapshot = snapshotFile(settings.cacheFolder, origin);
    this.partial = partialFile(settings.cacheFolder, origin);
    this.lock = `${this.snapshot}.lock`;
    this.identity = readingIdentity(origin);
  }

  get hasSnapshot(): boolean {
    return existsSync(this.snapshot);
  }

  get hasPartial(): boolean {
    return existsSync(this.partial);
  }

  /** How far an interrupted reading came; undefined when there is none, or none that can be told of. */
  partialProgress(): ReadProgress | undefined {
    return this.hasPartial ? partialProgress(this.partial, this.identity) : undefined;
  }

  /** Removes what an interrupted reading left; where it cannot be removed it stays, and does no harm. */
  async dropPartial(): Promise<void> {
    await rm(this.partial, { force: true }).catch(() => undefined);
  }
}
