import { LocretError } from '../../errors.js';
import type { CachePlan } from '../../eviction/cache-plan.js';
import { policyByName } from '../../eviction/policy-by-name.js';
import type { PlannedBytes } from '../../contract/roots.js';
import type { ProcessorPrecision, WeightPrecision } from '../../contract/words.js';
import { largestFitting, layerParameters, planBasis, tableParameters } from '../../memory/planning/basis.js';
import { gigabytes } from '../../quantities.js';
import type { HeadsSize, MemoryPlan, PlannedBackend, PlanSettings } from '../../memory/planning/plan.js';
import { headInputWidth } from '../../model/checkpoint.js';
import type { LoadedModel } from '../../model/model.js';
import type { ModelShape } from '../../model/shape.js';
import { processorName } from './name.js';
import { processorPrecision, usualPrecision } from './precision.js';

/** Node, onnxruntime, the tokenizer and the parsers of outlines while a repository is read, without the model: measured. */
const programBytes = 200 * 2 ** 20;
/** Weights in memory beside those in the file: onnxruntime arranges matrices for its kernels, measured. */
const arrangedWeights = 2.2;

/** Bytes per weight: int8 has a scale per row or per block of 32, int4 per block. */
function bytesPerWeight(precision: ProcessorPrecision): { readonly matrix: number; readonly table: number } {
  switch (precision) {
    case 'float32':
      return { matrix: 4, table: 4 };
    case 'int8':
      return { matrix: 1, table: 1.125 };
    case 'int4':
      return { matrix: 0.625, table: 0.625 };
  }
}

function weightBytes(shape: ModelShape, precision: ProcessorPrecision, heads: HeadsSize | undefined): number {
  const { matrix, table } = bytesPerWeight(precision);
  const retaining = heads === undefined ? 0 : heads.width * headInputWidth(shape, heads.input);
  return shape.layers.length * (layerParameters(shape) + retaining) * matrix + tableParameters(shape) * table;
}

/** The largest matrix as float32, turned around, and packed. */
function packingBytes(shape: ModelShape): number {
  const { hidden, feedForward, vocabulary, heads, kvHeads, headDim } = shape;
  return 9 * hidden * Math.max(vocabulary, feedForward, (heads + 2 * kvHeads) * headDim);
}

function cacheBytes({ layers, kvHeads, headDim }: ModelShape, capacity: number): number {
  return layers.length * kvHeads * capacity * (2 * headDim + 2) * 4;
}

/**
 * The widest values that live at once in a pass, doubled for quantized copies, and logits: of the last token, or of all
 * when the policy wants to see them.
 */
function activationBytes(shape: ModelShape, { budget, chunk, capacity, uneven }: CachePlan, logitRows: number): number {
  const { hidden, feedForward, heads, kvHeads, headDim, layers, vocabulary } = shape;
  const width = 6 * hidden + 4 * feedForward + 3 * (heads + 2 * kvHeads) * headDim;
  const newUnits = layers.length * 2 * kvHeads * headDim;
  // The operator copies the cache of a layer: of the largest one.
  const units = capacity + (uneven === undefined ? 0 : uneven.longest - budget);
  const present = 2 * kvHeads * headDim * units;
  return (
    4 * (chunk * (2 * width + newUnits) + present + heads * chunk * Math.min(capacity, 4096) + logitRows * vocabulary)
  );
}

/**
 * Plans the memory of reading a repository and asking about it on the processor, before anything is loaded.
 *
 * @param model.shape, .locret and .template decide what was not chosen
 * @param retaining the retaining heads, where there are some
 * @param free bytes of memory that may be used
 * @param reason why the processor
 * @throws LocretError window-too-small, invalid-argument for what only a GPU has, or out-of-memory with the arithmetic
 */
export function planMemory(
  model: LoadedModel,
  settings: PlanSettings,
  retaining: HeadsSize | undefined,
  free: number,
  reason = 'it was chosen',
): MemoryPlan {
  const { shape } = model;
  const basis = planBasis(model, settings);
  const { common } = basis;
  const precision = processorPrecision(settings.precision ?? usualPrecision(shape));
  const weights = weightBytes(shape, precision, retaining) * arrangedWeights;
  const packing = packingBytes(shape);
  const wantsLogits = policyByName(common.policy).scoring?.wants.logits === true;
  const { sizes, bytes } = largestFitting(basis, ({ cache: plan }) => {
    const cache = cacheBytes(shape, plan.capacity);
    const activations = activationBytes(shape, plan, wantsLogits ? plan.chunk : 1);
    const peak = programBytes + Math.max(weights + cache + activations, packing);
    return { weights, packing, cache, activations, program: programBytes, peak, free };
  });
  if (bytes.peak > free) throw outOfMemory(model, bytes, precision);
  const backend = onProcessor(reason);
  return { ...common, ...sizes, headLabels: retaining?.labels, precision, cachePrecision: 'full', backend, bytes };
}

/** The processor as a plan tells of it. */
function onProcessor(reason: string): PlannedBackend {
  return {
    name: processorName,
    options: undefined,
    reason,
    deviceName: 'processor',
    place: 'the processor',
    snapshotForm: {},
  };
}

function outOfMemory(model: LoadedModel, bytes: PlannedBytes, precision: WeightPrecision): LocretError {
  const { weights, cache, activations, packing, program, peak, free } = bytes;
  return new LocretError(
    'out-of-memory',
    `${model.name} does not fit: the program ${gigabytes(program)} + the larger of packing the weights ` +
      `${gigabytes(packing)} and weights (${precision}) ${gigabytes(weights)} + cache ${gigabytes(cache)} + activations ` +
      `${gigabytes(activations)} = ${gigabytes(peak)}, and ${gigabytes(free)} are free.`,
    precision === 'int4'
      ? 'Free some memory, or choose a smaller model or budget.'
      : 'Free some memory, or choose int4 weights (--precision int4), a smaller model or a smaller budget.',
  );
}
