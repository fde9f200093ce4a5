import { createHash } from 'node:crypto';
import path from 'node:path';
import type { MemorySettingName } from '../../contract/settings.js';
import type { LoadedModel } from '../../model/model.js';
import type { SurveyOptions } from '../../repository/source.js';
import type { MemoryPlan } from '../planning/plan.js';
import { promptFrame } from '../../model/prompt-frame.js';

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** A name that people recognise in a folder, of letters that every file system takes. */
function readable(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40);
  return plain === '' ? 'repository' : plain;
}

/** Where a model's packed weights are kept. @param model its place */
export function packedWeightsFolder(cacheFolder: string, model: string): string {
  return path.join(cacheFolder, 'weights', `${readable(path.basename(model))}-${digest(model)}`);
}

/** What a reading is made by. */
export interface ReadingOrigin {
  /** The repository's real path. */
  readonly root: string;
  readonly model: LoadedModel;
  readonly plan: MemoryPlan;
  readonly options: SurveyOptions;
}

/**
 * Every setting that makes another memory must be told: the compiler sees to it. `uneven` tells the allocation,
 * `maxFileBytes` the size, the snapshot's form the backend and its cache.
 */
type Told = Readonly<
  Record<Exclude<MemorySettingName, 'allocation' | 'maxFileSize' | 'backend' | 'cachePrecision'>, unknown>
> &
  Readonly<Record<string, unknown>>;

/**
 * What a memory depends on besides the numbers of the model, which the engine's fingerprint stands for: the repository
 * and which of its files are read, the sizes that decide what is kept, and what stands before the repository. Snapshots
 * are found by this text: with its parts in another order or by other names, every repository is read anew.
 */
export function readingIdentity({ root, model, plan, options }: ReadingOrigin): string {
  const { budget, chunk, stabilizers, pinned, uneven } = plan.cache;
  const { heads, policy, structure, precision, local, backend } = plan;
  const { maxFileBytes, include, exclude } = options;
  return JSON.stringify({
    root,
    model: model.place,
    heads,
    policy,
    structure,
    precision,
    budget,
    chunk,
    stabilizers,
    pinned,
    local,
    uneven,
    beginning: digest(promptFrame(model).before),
    // The cache of each backend is in its own form: each has a snapshot of its own.
    ...backend.snapshotForm,
    maxFileBytes,
    include,
    exclude,
  } satisfies Told);
}

function memoryFile(cacheFolder: string, origin: ReadingOrigin, ending: string): string {
  const name = `${readable(path.basename(origin.root))}-${digest(readingIdentity(origin))}`;
  return path.join(cacheFolder, 'memories', name + ending);
}

/** The file of a memory's snapshot: one for each repository, model and settings. */
export function snapshotFile(cacheFolder: string, origin: ReadingOrigin): string {
  return memoryFile(cacheFolder, origin, '.memory');
}

/** The file of a reading that was interrupted, beside the snapshot. */
export function partialFile(cacheFolder: string, origin: ReadingOrigin): string {
  return memoryFile(cacheFolder, origin, '.partial-memory');
}
