import type { ReadProgress } from '../../contract/roots.js';
import type { Engine } from '../../engine/engine.js';
import { readStored } from './stored-json.js';
import type { PartialReading } from '../reading/partial-reading.js';
import { documentOf, partialReadingOf } from './snapshot-document.js';
import { readNote, readSnapshot, type SnapshotOrigin, writeSnapshot } from './snapshot-file.js';

function originOf(identity: string): SnapshotOrigin {
  return { kind: 'partial memory', identity };
}

/**
 * Saves a reading that has not ended, whose cache the engine holds at the end of a chunk.
 * @throws LocretError disk-full when it cannot be written; what was saved before is untouched
 */
export function savePartialReading(
  file: string,
  engine: Engine,
  partial: PartialReading,
  progress: ReadProgress,
  identity: string,
): Promise<void> {
  const { filesRead, files, tokensRead, bytesRead, bytes } = progress;
  const note = JSON.stringify({ filesRead, files, tokensRead, bytesRead, bytes });
  return writeSnapshot(file, engine, documentOf(partial), { ...originOf(identity), note });
}

/**
 * Restores a reading that has not ended: its cache goes into the engine, which can go on at the next chunk.
 * @throws LocretError snapshot-corrupt or snapshot-foreign, naming the file and what is wrong; the engine is left empty
 */
export function restorePartialReading(file: string, engine: Engine, identity: string): Promise<PartialReading> {
  return readSnapshot(file, engine, originOf(identity), partialReadingOf);
}

function progressOf(note: string): ReadProgress {
  const reader = readStored(note, 'the progress');
  return {
    filesRead: reader.count('filesRead'),
    files: reader.count('files'),
    tokensRead: reader.count('tokensRead'),
    bytesRead: reader.amount('bytesRead'),
    bytes: reader.count('bytes'),
    tokensPerSecond: 0,
    secondsLeft: undefined,
  };
}

/** How far a reading that was saved came; undefined when it is of something else or damaged. */
export function partialProgress(file: string, identity: string): ReadProgress | undefined {
  try {
    return progressOf(readNote(file, originOf(identity)));
  } catch {
    return undefined;
  }
}
