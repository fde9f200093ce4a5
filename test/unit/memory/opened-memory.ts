import type { Engine } from '../../../server/engine/engine.js';
import { throwIfCancelled } from '../../../server/errors.js';
import type { ReadMemory } from '../../../server/memory/contents/repository-memory.js';
import { MemoryFiles } from '../../../server/memory/keeping/memory-files.js';
import {
  MemoryOpening,
  type MemoryHooks,
  type MemorySettings,
  type OpenHow,
} from '../../../server/memory/open-memory.js';
import { loadEngine } from '../../../server/memory/load-engine.js';
import { planModel, type PlannedModel } from '../../../server/memory/planning/planned-model.js';
import { surveyRepository } from '../../../server/repository/survey.js';

/** A memory in an engine of its own, which the caller disposes of. */
export interface OpenedMemory extends PlannedModel {
  readonly memory: ReadMemory;
  readonly engine: Engine;
  /** Folds what changed on disk into a memory of this engine, or reads anew where that is better. */
  update(memory: ReadMemory, signal?: AbortSignal): Promise<ReadMemory>;
}

/** Opens the memory of a repository in an engine of its own, in the order in which a root does it. */
export async function openMemory(
  settings: MemorySettings,
  how: Omit<OpenHow, 'survey'> & { readonly update?: boolean } = {},
  hooks: MemoryHooks = {},
): Promise<OpenedMemory> {
  const planned = await planModel(settings);
  const { signal } = hooks;
  const { hasSnapshot, hasPartial } = new MemoryFiles(planned, settings);
  const reads = how.fresh === true || !hasSnapshot || (how.resume === true && hasPartial);
  const survey = reads ? await surveyRepository(planned.root, settings.survey, hooks) : undefined;
  const engine = await loadEngine(planned, settings.cacheFolder, (notice) => hooks.onNotice?.(notice));
  const opening = new MemoryOpening(planned, engine, settings);
  const update = async (held: ReadMemory, stop?: AbortSignal): Promise<ReadMemory> => {
    const stoppable = { ...hooks, signal: stop };
    const updated = await opening.update(held, stoppable);
    if (updated !== undefined) return updated;
    try {
      return await opening.open({ fresh: true }, stoppable);
    } catch (error) {
      // A root does so when the memory is next needed.
      await opening.restore();
      throw error;
    }
  };
  try {
    throwIfCancelled(signal, 'Loading the model');
    const opened = await opening.open({ ...how, survey }, hooks);
    return { ...planned, engine, memory: how.update === true ? await update(opened) : opened, update };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
