import { type CudaPresence, findCuda } from './cuda/devices.js';
import { isLocretError, LocretError } from '../errors.js';
import type { LoadedModel } from '../model/model.js';
import { openModelSource } from '../model/open-model-source.js';
import type { WeightEncoding } from '../model/weight-encoding.js';
import { freeMemory } from '../memory/planning/free-memory.js';
import { planCudaMemory } from './cuda/plan.js';
import { type HeadsSize, type MemoryPlan, planMemory, type PlanSettings } from '../memory/planning/plan.js';

function noGpu({ problem, remedy }: { readonly problem: string; readonly remedy: string }): LocretError {
  return new LocretError('invalid-argument', `The backend "cuda" cannot be used: ${problem}.`, remedy);
}

/** How most of a model's weights are stored. Their headers are read, and not the weights. */
function encodingOf(place: string): WeightEncoding {
  const checkpoint = openModelSource(place).openWeights();
  try {
    return checkpoint.encoding;
  } finally {
    checkpoint.close();
  }
}

/**
 * Chooses where a model runs, and plans its memory there: on a GPU if one was chosen, or if one is there, runs this kind
 * of model and has enough memory; otherwise on the processor. The plan says why.
 *
 * @param retaining the retaining heads, where there are some
 * @param find looks for GPUs; called unless the processor was chosen
 * @throws LocretError what {@link planMemory} and {@link planCudaMemory} throw; invalid-argument when a GPU was chosen and
 * there is none
 */
export function planWhereItRuns(
  model: LoadedModel,
  settings: PlanSettings,
  retaining: HeadsSize | undefined,
  find: () => CudaPresence = findCuda,
): MemoryPlan {
  const { backend = 'auto' } = settings;
  if (backend === 'cpu') return planMemory(model, settings, retaining, freeMemory(), 'it was chosen');
  const { usable: cuda, missing } = find();
  if (cuda === undefined) {
    const why = missing ?? { problem: 'there is no GPU', remedy: 'Run on the processor.' };
    if (backend === 'cuda') throw noGpu(why);
    return planMemory(model, settings, retaining, freeMemory(), why.problem);
  }
  try {
    const planning = { model, settings, retaining, cuda, encoding: encodingOf(model.place) };
    return planCudaMemory(planning, backend === 'cuda' ? 'it was chosen' : 'it is there and has enough memory');
  } catch (error) {
    const isLimit = isLocretError(error, 'out-of-memory') || isLocretError(error, 'model-unsupported');
    if (backend === 'cuda' || !isLimit) throw error;
    return planMemory(model, settings, retaining, freeMemory(), error.message.replace(/\.$/, ''));
  }
}
