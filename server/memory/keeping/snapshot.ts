import type { Engine } from '../../engine/engine.js';
import type { LoadedModel } from '../../model/model.js';
import { ReadMemory } from '../contents/repository-memory.js';
import { contentOf, documentOf } from './snapshot-document.js';
import { readSnapshot, type SnapshotOrigin, writeSnapshot } from './snapshot-file.js';

function originOf(identity: string): SnapshotOrigin {
  return { kind: 'memory', identity };
}

/**
 * Saves a memory, which its engine holds: cache, source map, files with hashes, definitions, rules of the survey.
 *
 * @param identity what the cache's numbers depend on besides the engine; compared when it is restored
 * @throws LocretError disk-full when it cannot be written; the earlier snapshot is untouched
 */
export function saveSnapshot(file: string, memory: ReadMemory, identity: string): Promise<void> {
  return writeSnapshot(file, memory.engine, documentOf(memory.content), originOf(identity));
}

/**
 * Restores a memory into an engine: the same cache, bit by bit. Everything is checked; when anything is wrong the engine
 * is left empty.
 * @throws LocretError snapshot-corrupt or snapshot-foreign, naming the file and what is wrong
 */
export async function restoreSnapshot(
  file: string,
  engine: Engine,
  model: LoadedModel,
  identity: string,
): Promise<ReadMemory> {
  const started = performance.now();
  const content = await readSnapshot(file, engine, originOf(identity), contentOf);
  return new ReadMemory(engine, model, content, 'snapshot', (performance.now() - started) / 1000);
}
