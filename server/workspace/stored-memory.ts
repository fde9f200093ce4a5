import { existsSync } from 'node:fs';
import { snapshotFile } from '../memory/cache-files.js';
import type { ReadProgress } from '../memory/memory.js';
import type { MemorySettings } from '../memory/open-memory.js';
import type { PlannedModel } from '../memory/planned-model.js';

/** What is on disk of a root's memory. */
export interface StoredMemory {
  readonly hasSnapshot: boolean;
  /** How far a reading came that was interrupted. */
  readonly partial: ReadProgress | undefined;
}

export async function storedMemory(planned: PlannedModel, settings: MemorySettings): Promise<StoredMemory> {
  const file = snapshotFile(settings.cacheFolder, { ...planned, options: settings.survey });
  return Promise.resolve({ hasSnapshot: existsSync(file), partial: undefined });
}

export async function dropPartialMemory(planned: PlannedModel, settings: MemorySettings): Promise<void> {
  await Promise.resolve([planned, settings]);
}
