import { isLocretError, LocretError } from '../errors.js';
import type { HeadsSize, MemoryPlan, PlanSettings } from '../memory/planning/plan.js';
import type { LoadedModel } from '../model/model.js';
import type { Backend, Device } from './backend.js';
import { backendByName, backends } from './index.js';

/**
 * The device of a backend that was chosen.
 * @throws LocretError invalid-argument when there is none
 */
export function chosenDevice(backend: Backend): Device {
  const { device, missing } = backend.detect();
  if (device !== undefined) return device;
  const problem = `The backend "${backend.name}" cannot be used: ${missing.problem}.`;
  throw new LocretError('invalid-argument', problem, missing.remedy);
}

/**
 * Chooses where a model runs, and plans its memory there: where it was chosen to, or on the preferred backend that is
 * there, runs this kind of model and has enough memory. The plan says why.
 *
 * @param retaining the retaining heads, where there are some
 * @param among where it can run, as {@link backends} lists them; only what may be chosen is looked for
 * @throws LocretError what {@link Device.plan} throws; invalid-argument when a backend was chosen and is not there
 */
export function planWhereItRuns(
  model: LoadedModel,
  settings: PlanSettings,
  retaining: HeadsSize | undefined,
  among = backends,
): MemoryPlan {
  const planning = { model, settings, retaining };
  const { backend: choice = 'auto' } = settings;
  if (choice !== 'auto') return chosenDevice(backendByName(choice, among)).plan(planning, 'it was chosen');
  const [last, ...preferred] = among;
  const reasons: string[] = [];
  for (const backend of preferred.reverse()) {
    const { device, missing } = backend.detect();
    try {
      if (device !== undefined) return device.plan(planning, 'it is there and has enough memory');
      reasons.push(missing.problem);
    } catch (error) {
      const isLimit = isLocretError(error, 'out-of-memory') || isLocretError(error, 'model-unsupported');
      if (!isLimit) throw error;
      reasons.push(error.message.replace(/\.$/, ''));
    }
  }
  if (last === undefined) throw new RangeError('there is no backend');
  return chosenDevice(last).plan(planning, reasons.join('; '));
}
