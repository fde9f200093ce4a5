import { openModel, type LoadedModel } from '../../model/model.js';
import { readHeadsHeader } from '../../model/retaining-heads.js';
import { resolveRoot } from '../../repository/root.js';
import { planWhereItRuns } from '../../backends/choose-backend.js';
import type { MemoryPlan, PlanSettings } from './plan.js';

/** Which repository is to be read by which model, and with what sizes. */
export interface ReadingSettings extends PlanSettings {
  readonly repo: string;
  /** Where the model lies: what `openModelSource` takes. */
  readonly model: string;
}

/** A model that is planned, and not yet loaded. */
export interface PlannedModel {
  /** The repository's real path. */
  readonly root: string;
  readonly model: LoadedModel;
  readonly plan: MemoryPlan;
}

/**
 * Opens a model and plans its memory. No weights are loaded, and of retaining heads only the header is read.
 * @throws LocretError for a repository or model that is not there or damaged, window-too-small, out-of-memory
 */
export async function planModel(settings: ReadingSettings): Promise<PlannedModel> {
  const root = await resolveRoot(settings.repo);
  const model = await openModel(settings.model);
  const headsFile = settings.heads ?? model.locret.heads;
  const heads = headsFile === undefined ? undefined : readHeadsHeader(headsFile, model.shape);
  return { root, model, plan: planWhereItRuns(model, settings, heads) };
}
