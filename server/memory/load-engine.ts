import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/remote-engine.js';
import { isLocretError } from '../errors.js';
import { packedWeightsFolder } from './keeping/cache-files.js';
import type { PlannedModel } from './planning/planned-model.js';

function openIn(folder: string, { model, plan }: PlannedModel): Promise<Engine> {
  const { heads, policy, precision, threads, cache, backend } = plan;
  return openEngine({
    model: model.place,
    policy,
    precision,
    plan: cache,
    threads,
    cacheFolder: folder,
    ...(heads === undefined ? {} : { heads }),
    backend: { name: backend.name, options: backend.options },
  });
}

/** Loads a model whose packed weights are not kept: they lie in a temporary folder until they are loaded. */
async function openWithoutCache(planned: PlannedModel): Promise<Engine> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'locret-'));
  try {
    return await openIn(folder, planned);
  } finally {
    // Windows keeps files that are mapped into memory; its own cleaning of temporary folders takes them.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Loads the planned model into a worker. Where the packed weights cannot be kept in the cache folder, they are packed in
 * a temporary one.
 *
 * @param onNotice called when they cannot be kept
 * @throws LocretError what {@link openEngine} throws; disk-full, naming the cache folder, when the temporary folder has
 * no room either
 */
export async function loadEngine(
  planned: PlannedModel,
  cacheFolder: string,
  onNotice: (notice: string) => void,
): Promise<Engine> {
  try {
    return await openIn(packedWeightsFolder(cacheFolder, planned.model.place), planned);
  } catch (error) {
    if (!isLocretError(error, 'disk-full')) throw error;
    let engine: Engine;
    try {
      engine = await openWithoutCache(planned);
    } catch {
      throw error;
    }
    onNotice(`${error.message} ${error.remedy} Until then each start packs them anew.`);
    return engine;
  }
}
