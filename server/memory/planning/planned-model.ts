import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../../engine/engine.js';
import { openEngine } from '../../engine/remote-engine.js';
import { isLocretError } from '../../errors.js';
import { openModel, type LoadedModel } from '../../model/model.js';
import { readHeadsHeader } from '../../model/retaining-heads.js';
import { resolveRoot } from '../../repository/root.js';
import { packedWeightsFolder } from '../keeping/cache-files.js';
import { planWhereItRuns } from '../../backends/choose-backend.js';
import type { MemoryPlan, PlanSettings } from './plan.js';

/** Which repository is to be read by which model, and with what sizes. */
export interface ReadingSettings extends PlanSettings {
  readonly repo: string;
  readonly modelFolder: string;
}

/** A model that is planned, and not yet loaded. */
export interface PlannedModel {
  /** The repository's real path. */
  readonly root: string;
  readonly model: LoadedModel;
  readonly plan: MemoryPlan;
}

/**
 * Opens a model's folder and plans its memory. No weights are loaded.
 * @throws LocretError for a repository or model that is not there or damaged, window-too-small, out-of-memory
 */
export async function planModel(settings: ReadingSettings): Promise<PlannedModel> {
  const root = await resolveRoot(settings.repo);
  const model = await openModel(settings.modelFolder);
  const headsFile = settings.heads ?? model.locret.heads;
  const heads = headsFile === undefined ? undefined : readHeadsHeader(headsFile, model.shape);
  return { root, model, plan: planWhereItRuns(model, settings, heads) };
}

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
