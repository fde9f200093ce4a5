import type { ReadProgress } from '../../contract/roots.js';
import type { StructureName } from '../../contract/words.js';
import { DefinitionTable } from '../contents/definition-table.js';
import { ProgressMeter } from './progress-meter.js';
import { readFiles } from './read-files.js';
import { ReadMemory, sourcesOf } from '../contents/repository-memory.js';
import { SourceMap } from '../contents/source-map.js';

export interface UpdateInput {
  readonly memory: ReadMemory;
  /** What stays before all else; default: nothing. */
  readonly structure?: StructureName;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Beyond this share of the tokens an update is worth less than a fresh read: what was forgotten leaves holes in every
 * KV head, and new files only know what stood before them.
 */
const mostChanged = 1 / 3;

/**
 * Folds changes on disk into a memory: the units of files that changed or vanished leave first, then changed and added
 * files are read behind what stays, with eviction. The given memory is not valid afterwards.
 *
 * @returns the new memory; the given one when nothing changed; undefined when so much changed that reading anew is
 * better (then nothing was touched)
 * @throws LocretError cancelled, engine-failed: then the engine's cache is part old, part new, and must be restored
 */
export async function updateMemory({
  memory,
  structure = 'none',
  onProgress,
  signal,
}: UpdateInput): Promise<ReadMemory | undefined> {
  const started = performance.now();
  const { engine, model, content } = memory;
  const changes = await memory.disk.compare(signal);
  const { changed, survey } = changes;
  if (changed.length === 0) return memory;
  const paths = new Set(changed.map(({ path }) => path));
  const stale = content.map.files.filter(({ file }) => paths.has(file.path));
  const fresh = survey.files.filter((file) => paths.has(file.path));
  const staleTokens = stale.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const bytesToRead = fresh.reduce((sum, { bytes }) => sum + bytes, 0);
  const share = Math.max(staleTokens / Math.max(1, content.tokensRead), bytesToRead / Math.max(1, survey.bytes));
  if (share > mostChanged || survey.files.length === 0) return undefined;

  await engine.forget(stale.map(({ begin, end }) => ({ begin, end })));
  const read = await readFiles({
    engine,
    model,
    survey: { ...survey, files: fresh },
    options: content.options,
    beginning: undefined,
    local: 0,
    structure,
    firstTokenIndex: content.nextTokenIndex,
    meter: new ProgressMeter({ files: fresh.length, bytes: bytesToRead }, onProgress),
    signal,
  });
  const kept = content.map.files.filter(({ file }) => !paths.has(file.path));
  const unread = new Set(read.skipped.map(({ path }) => path));
  const next = {
    survey,
    options: content.options,
    map: new SourceMap([...kept, ...read.files]),
    definitions: DefinitionTable.of([
      ...[...content.definitions].filter(({ path }) => !paths.has(path)),
      ...read.definitions,
    ]),
    skipped: [...content.skipped.filter(({ path }) => !paths.has(path) && !unread.has(path)), ...read.skipped],
    tokensRead: content.tokensRead - staleTokens + read.nextTokenIndex - content.nextTokenIndex,
    nextTokenIndex: read.nextTokenIndex,
    made: Date.now(),
  };
  const disk = memory.disk.after(sourcesOf(next), changes);
  return new ReadMemory(engine, model, next, 'update', (performance.now() - started) / 1000, disk);
}
