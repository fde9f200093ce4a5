import { cudaConfig, cudaName } from './config.js';
import type { UsableCuda, UsableDevice } from './devices.js';
import { guardCuda } from './errors.js';
import type { PlannedBytes } from '../../contract/roots.js';
import type { CachePrecision, WeightPrecision } from '../../contract/words.js';
import type { ChosenBackend } from '../../engine/engine.js';
import { LocretError } from '../../errors.js';
import type { LoadedModel } from '../../model/model.js';
import { largestFitting, type PlanBasis, planBasis, type PlannedSizes } from '../../memory/planning/basis.js';
import { gigabytes } from '../../quantities.js';
import type { MemoryPlan, PlanSettings } from '../../memory/planning/plan.js';
import { floatEncodings, type WeightEncoding } from '../../model/weight-encoding.js';
import type { Planning } from '../backend.js';
import type { CudaOptions } from './engine.js';

/** Device memory left alone: the kernels' code, and what other programs take meanwhile. */
const reserve = 256 * 2 ** 20;

/** How weights and cache can be held. */
interface Holding {
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
}

/** The ways to hold a model, the most exact first: what was chosen, or each until one fits. */
function holdings(basis: PlanBasis, settings: PlanSettings, stored: WeightEncoding): readonly Holding[] {
  const native = basis.isSmall ? 'float32' : stored === floatEncodings.float16 ? 'float16' : 'bfloat16';
  const precisions: readonly WeightPrecision[] =
    settings.precision === undefined ? [native, 'int8', 'int4'] : [settings.precision];
  const caches: readonly CachePrecision[] =
    settings.cachePrecision === undefined ? ['full', 'int8'] : [settings.cachePrecision];
  return precisions.flatMap((precision) => caches.map((cachePrecision) => ({ precision, cachePrecision })));
}

/** What a plan on a device is made from. */
export interface CudaPlanning extends Planning {
  /** How most weights are stored. */
  readonly encoding: WeightEncoding;
  readonly cuda: UsableCuda;
}

/** A GPU for an engine, with what only this backend understands. */
export function chosenGpu(cuda: UsableCuda, { index }: UsableDevice, cachePrecision: CachePrecision): ChosenBackend {
  const options: CudaOptions = { binding: cuda.file, device: index, cachePrecision };
  return { name: cudaName, options };
}

function bytesOn(
  { model, retaining, cuda }: CudaPlanning,
  device: UsableDevice,
  basis: PlanBasis,
  holding: Holding,
): (sizes: PlannedSizes) => PlannedBytes {
  const { policy } = basis.common;
  return ({ cache: plan }) => {
    const config = cudaConfig({ shape: model.shape, plan, policy, heads: retaining, ...holding });
    const planned = guardCuda(() => cuda.binding.plan(config));
    return {
      weights: planned.weightBytes + planned.headBytes,
      packing: planned.loadingBytes,
      cache: planned.cacheBytes,
      activations: planned.stagingBytes + planned.workspaceBytes + planned.logitBytes,
      program: 0,
      peak: planned.totalBytes,
      free: Math.max(0, device.freeBytes - reserve),
    };
  };
}

/**
 * Plans the device memory of reading a repository and asking about it. Of several devices the one with most free memory
 * is taken; weights are held as exactly as they fit with the whole budget, and only int4 weights with an int8 cache get
 * a smaller one.
 *
 * @param reason why the GPU
 * @throws LocretError window-too-small, model-unsupported for a model that the kernels do not run, out-of-memory with
 * the arithmetic
 */
export function planCudaMemory(planning: CudaPlanning, reason: string): MemoryPlan {
  const { model, settings, cuda } = planning;
  const basis = planBasis(model, settings);
  const [device] = cuda.devices;
  if (device === undefined) throw new RangeError('no device to plan for');
  const tried = holdings(basis, settings, planning.encoding).map((holding) => {
    const bytesOf = bytesOn(planning, device, basis, holding);
    const sizes = basis.sizesWithin(Infinity);
    return { holding, bytesOf, sizes, bytes: bytesOf(sizes) };
  });
  const whole = tried.find(({ bytes }) => bytes.peak <= bytes.free);
  const last = tried.at(-1);
  if (last === undefined) throw new RangeError('no way to hold a model');
  const chosen = whole ?? { ...last, ...largestFitting(basis, last.bytesOf) };
  const { sizes, bytes, holding } = chosen;
  if (bytes.peak > bytes.free) throw outOfMemory(model, device, bytes, holding);
  const { precision, cachePrecision } = holding;
  const backend = {
    ...chosenGpu(cuda, device, cachePrecision),
    reason,
    deviceName: device.name,
    place: `GPU ${device.index}, ${device.name}`,
    snapshotForm: { backend: cudaName, cachePrecision },
  };
  return {
    ...basis.common,
    ...sizes,
    headLabels: planning.retaining?.labels,
    precision,
    cachePrecision,
    backend,
    bytes,
  };
}

function outOfMemory(
  model: LoadedModel,
  device: UsableDevice,
  { weights, packing, cache, activations, peak, free }: PlannedBytes,
  { precision, cachePrecision }: Holding,
): LocretError {
  return new LocretError(
    'out-of-memory',
    `${model.name} does not fit on ${device.name}: weights (${precision}) ${gigabytes(weights)} + cache ` +
      `(${cachePrecision}) ${gigabytes(cache)} + intermediate values ${gigabytes(activations)} + loading ` +
      `${gigabytes(packing)} = ${gigabytes(peak)}, and ${gigabytes(free)} are free there.`,
    'End other programs that use the GPU, choose a smaller model or budget, or run on the processor (backend cpu).',
  );
}
