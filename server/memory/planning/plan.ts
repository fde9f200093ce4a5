import type { CachePlan, CachePrecision, CudaOptions, WeightPrecision } from '../../engine/engine.js';
import { isLocretError, LocretError } from '../../errors.js';
import { policyByName, trainingFreeNotice, trainingFreePolicy } from '../../eviction/policy-by-name.js';
import type { AllocationName } from '../../eviction/allocation.js';
import type { PolicyName } from '../../eviction/policy.js';
import { pyramidBudgets } from '../../eviction/pyramid.js';
import { leastOfShared } from '../../eviction/shared-budget.js';
import { headInputWidth, type RetainingHeads } from '../../model/checkpoint.js';
import type { LoadedModel } from '../../model/model.js';
import type { ModelShape } from '../../model/shape.js';
import type { WeightPrecision as ProcessorPrecision } from '../../backends/processor/graph/linear.js';
import { beginningTokens, promptFrame } from '../../model/prompt-frame.js';
import type { StructureName } from '../reading/structure.js';

/** `auto`: a GPU with enough memory if there is one, otherwise the processor. */
export type BackendChoice = 'auto' | 'cpu' | 'cuda';
export const backendChoices: readonly BackendChoice[] = ['auto', 'cpu', 'cuda'];

/** Where the model runs, and why there, for people. */
export type PlannedBackend =
  | { readonly name: 'cpu'; readonly reason: string }
  | { readonly name: 'cuda'; readonly reason: string; readonly deviceName: string; readonly options: CudaOptions };

/** What the user chose; the plan chooses the rest. */
export interface PlanSettings {
  /** Retaining heads; default: the model's own. */
  readonly heads?: string;
  readonly policy?: PolicyName;
  /** How the budget is divided between layers and KV heads; default: the model's, or evenly. */
  readonly allocation?: AllocationName;
  /** What stays before all else; default: the model's, or nothing. */
  readonly structure?: StructureName;
  readonly precision?: WeightPrecision;
  /** Where the model runs; default `auto`. */
  readonly backend?: BackendChoice;
  /** How a GPU holds keys and values; default: as they are computed, if there is room. */
  readonly cachePrecision?: CachePrecision;
  readonly budget?: number;
  readonly chunk?: number;
  readonly stabilizers?: number;
  /** Last tokens of the repository that are appended without eviction (n_loc). */
  readonly local?: number;
  readonly threads: number;
}

/** Bytes of memory that reading and asking take: of the machine, or of its GPU when the model runs there. */
export interface PlannedBytes {
  /** Weights as the model runs them, with what onnxruntime arranges anew. */
  readonly weights: number;
  /** While weights are packed for the first time; released before reading. */
  readonly packing: number;
  readonly cache: number;
  /** Intermediate values of one pass. */
  readonly activations: number;
  /** The program itself. */
  readonly program: number;
  readonly peak: number;
  /** Free when the plan was made, where the model runs: on this machine or on its GPU. */
  readonly free: number;
}

/** Everything that is fixed before a model is loaded. */
export interface MemoryPlan {
  readonly cache: CachePlan;
  readonly local: number;
  /** Slots that the model handles well. */
  readonly window: number;
  readonly policy: PolicyName;
  readonly structure: StructureName;
  readonly heads: string | undefined;
  readonly precision: WeightPrecision;
  readonly threads: number;
  readonly backend: PlannedBackend;
  readonly bytes: PlannedBytes;
  /** What the user must know about this plan. */
  readonly notices: readonly string[];
}

/** Units behind the memory for recall, question and answer: at least, and at most. */
const behind = { least: 192, most: 4096 };
const largestChunk = 1024;
/** Budget of the paper for Llama-3.1-8B; more costs time and gains little. */
const largestBudget = 16_384;
const leastBudget = 64;
/** Share of the budget that the paper exempts from eviction (2500 of 6000), and its number. */
const stabilizerShare = 2500 / 6000;
const mostStabilizers = 2500;
const defaultLocal = 100;
/** Node, onnxruntime, the tokenizer and the parsers of outlines while a repository is read, without the model: measured. */
const programBytes = 200 * 2 ** 20;
/** Weights in memory beside those in the file: onnxruntime arranges matrices for its kernels, measured. */
const arrangedWeights = 2.2;
/** Weights are float32 by default up to this many parameters: exact, and quick enough. */
const smallModel = 50e6;
/** Attention sinks that a training-free policy must not lose. */
const sinks = 4;

function layerParameters(shape: ModelShape): number {
  const { hidden, heads, kvHeads, headDim, feedForward } = shape;
  return hidden * (2 * heads + 2 * kvHeads) * headDim + 3 * hidden * feedForward;
}

function parameters(shape: ModelShape): number {
  const tables = shape.tiedEmbeddings ? 1 : 2;
  return shape.layers * layerParameters(shape) + tables * shape.vocabulary * shape.hidden;
}

/** Whether exact weights are quick enough. */
function isSmall(shape: ModelShape): boolean {
  return parameters(shape) <= smallModel;
}

/** The weights of a model on the processor, where nothing else is asked for. */
export function usualPrecision(shape: ModelShape): ProcessorPrecision {
  return isSmall(shape) ? 'float32' : 'int8';
}

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

/** What decides how large retaining heads are. */
export type HeadsSize = Pick<RetainingHeads, 'input' | 'width'>;

function weightBytes(shape: ModelShape, precision: ProcessorPrecision, heads: HeadsSize | undefined): number {
  const { matrix, table } = bytesPerWeight(precision);
  const tables = (shape.tiedEmbeddings ? 1 : 2) * shape.vocabulary * shape.hidden;
  const retaining = heads === undefined ? 0 : heads.width * headInputWidth(shape, heads.input);
  return shape.layers * (layerParameters(shape) + retaining) * matrix + tables * table;
}

/** The largest matrix as float32, turned around, and packed. */
function packingBytes(shape: ModelShape): number {
  const { hidden, feedForward, vocabulary, heads, kvHeads, headDim } = shape;
  return 9 * hidden * Math.max(vocabulary, feedForward, (heads + 2 * kvHeads) * headDim);
}

function cacheBytes({ layers, kvHeads, headDim }: ModelShape, capacity: number): number {
  return layers * kvHeads * capacity * (2 * headDim + 2) * 4;
}

/**
 * The widest values that live at once in a pass, doubled for quantized copies, and logits: of the last token, or of all
 * when the policy wants to know how surprising each is.
 */
function activationBytes(shape: ModelShape, { budget, chunk, capacity, uneven }: CachePlan, logitRows: number): number {
  const { hidden, feedForward, heads, kvHeads, headDim, layers, vocabulary } = shape;
  const width = 6 * hidden + 4 * feedForward + 3 * (heads + 2 * kvHeads) * headDim;
  const newUnits = layers * 2 * kvHeads * headDim;
  // The operator copies the cache of a layer: of the largest one.
  const units = capacity + (uneven?.allocation === 'pyramid' ? uneven.longest - budget : 0);
  const present = 2 * kvHeads * headDim * units;
  return (
    4 * (chunk * (2 * width + newUnits) + present + heads * chunk * Math.min(capacity, 4096) + logitRows * vocabulary)
  );
}

/** The longest KV head that uneven budgets could ask for; undefined where all budgets are equal. */
function longestWanted(
  { layers, kvHeads }: ModelShape,
  allocation: AllocationName,
  { budget, pinned, stabilizers }: Pick<CachePlan, 'budget' | 'pinned' | 'stabilizers'>,
): number | undefined {
  switch (allocation) {
    case 'even':
      return undefined;
    case 'pyramid':
      return layers === 1
        ? undefined
        : pyramidBudgets({ budget, exempt: pinned + stabilizers, layers, longest: Infinity })[0];
    case 'shared':
      return kvHeads === 1 ? undefined : kvHeads * budget - (kvHeads - 1) * leastOfShared(budget);
  }
}

function tooSmall(window: number, needed: string): LocretError {
  return new LocretError(
    'window-too-small',
    `The model handles ${window} positions well; ${needed}.`,
    'Choose a smaller budget, chunk or local part, or a model with a larger window.',
  );
}

/** Sizes in cache units, from what was asked for, what the model's folder says, and its window. */
function planCache(model: LoadedModel, settings: PlanSettings, window: number, pinned: number, budgetLimit: number) {
  const { locret, shape } = model;
  const local = settings.local ?? locret.local ?? Math.min(defaultLocal, window >> 4);
  const chunk = settings.chunk ?? locret.chunk ?? Math.max(16, Math.min(largestChunk, window >> 3));
  const room = Math.max(chunk, behind.least);
  const automatic = Math.min(largestBudget, budgetLimit, window >> 1, window - local - room);
  const budget = settings.budget ?? Math.min(locret.budget ?? Infinity, Math.max(automatic, 1));
  if (budget + local + room > window) {
    throw tooSmall(
      window,
      `a budget of ${budget}, a local part of ${local} and ${room} for a chunk or a question with its answer need ` +
        `${budget + local + room}`,
    );
  }
  if (pinned >= budget) {
    throw tooSmall(window, `a budget of ${budget} has no room behind the ${pinned} tokens that begin the prompt`);
  }
  const wanted = Math.min(mostStabilizers, Math.floor(budget * stabilizerShare));
  const stabilizers = Math.min(settings.stabilizers ?? locret.stabilizers ?? wanted, budget - pinned);
  const allocation = settings.allocation ?? locret.allocation ?? 'even';
  const wantedLongest = longestWanted(shape, allocation, { budget, pinned, stabilizers });
  // A head that keeps more than the others takes slots that would be free behind it.
  const longest = wantedLongest === undefined ? undefined : Math.min(wantedLongest, window - local - room);
  const capacity = Math.min(window - ((longest ?? budget) - budget), budget + local + Math.max(chunk, behind.most));
  const uneven = allocation === 'even' || longest === undefined ? {} : { uneven: { allocation, longest } };
  return { cache: { budget, chunk, stabilizers, pinned, capacity, ...uneven }, local };
}

/** Sizes in cache units: those of the cache, and the local part. */
export interface PlannedSizes {
  readonly cache: CachePlan;
  readonly local: number;
}

/** What a plan begins with, wherever the model is to run. */
export interface PlanBasis {
  readonly window: number;
  readonly heads: string | undefined;
  readonly policy: PolicyName;
  readonly structure: StructureName;
  /** Exact weights are quick enough. */
  readonly isSmall: boolean;
  readonly notices: readonly string[];
  /**
   * The sizes of the cache.
   * @param budgetLimit the largest budget, unless one was chosen
   * @throws LocretError window-too-small
   */
  sizesWithin(budgetLimit: number): PlannedSizes;
}

/**
 * What does not depend on where a model runs.
 * @throws LocretError invalid-argument when the policy needs retaining heads and there are none
 */
export function planBasis(model: LoadedModel, settings: PlanSettings): PlanBasis {
  const { shape, locret } = model;
  const window = locret.window ?? shape.maxPositions;
  const heads = settings.heads ?? locret.heads;
  const policy = settings.policy ?? (heads === undefined ? trainingFreePolicy : 'locret');
  const needsHeads = policyByName(policy).needsRetainingHeads;
  if (needsHeads && heads === undefined) {
    throw new LocretError(
      'invalid-argument',
      `The policy "${policy}" needs retaining heads, and ${model.name} has none.`,
      'Give them with --heads, or choose another policy.',
    );
  }
  const structure = settings.structure ?? (needsHeads ? locret.structure : undefined) ?? 'none';
  if (structure !== 'none' && !needsHeads) {
    throw new LocretError(
      'invalid-argument',
      `The policy "${policy}" keeps no ${structure} before all else: it does not read retaining heads' scores.`,
      'Leave it out (--structure none), or choose the policy locret.',
    );
  }
  const pinned = Math.max(beginningTokens(model, promptFrame(model).before).length, needsHeads ? 0 : sinks);
  return {
    window,
    heads,
    policy,
    structure,
    isSmall: isSmall(shape),
    notices: needsHeads ? [] : [trainingFreeNotice],
    sizesWithin: (budgetLimit) => planCache(model, settings, window, pinned, budgetLimit),
  };
}

/** Sizes with a smaller budget; undefined when it has no room for what begins the prompt. */
function smallerSizes(basis: PlanBasis, budgetLimit: number): PlannedSizes | undefined {
  try {
    return basis.sizesWithin(budgetLimit);
  } catch (error) {
    if (isLocretError(error, 'window-too-small')) return undefined;
    throw error;
  }
}

/**
 * The largest sizes that fit, halving the budget until they do, down to the least one.
 * @param bytesOf what some sizes take
 * @returns the last sizes that were tried, whether they fit or not
 */
export function largestFitting(
  basis: PlanBasis,
  bytesOf: (sizes: PlannedSizes) => PlannedBytes,
): { readonly sizes: PlannedSizes; readonly bytes: PlannedBytes } {
  const tried = (sizes: PlannedSizes) => ({ sizes, bytes: bytesOf(sizes) });
  let last = tried(basis.sizesWithin(largestBudget));
  for (let limit = largestBudget >> 1; last.bytes.peak > last.bytes.free && limit >= leastBudget; limit >>= 1) {
    const sizes = smallerSizes(basis, limit);
    if (sizes === undefined) break;
    last = tried(sizes);
  }
  return last;
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
  const { window, heads, policy, structure, notices } = basis;
  const precision = processorPrecision(settings.precision ?? usualPrecision(shape));
  const weights = weightBytes(shape, precision, retaining) * arrangedWeights;
  const packing = packingBytes(shape);
  const observesSurprisal = policyByName(policy).scoring?.observes === 'surprisal';
  const { sizes, bytes } = largestFitting(basis, ({ cache: plan }) => {
    const cache = cacheBytes(shape, plan.capacity);
    const activations = activationBytes(shape, plan, observesSurprisal ? plan.chunk : 1);
    const peak = programBytes + Math.max(weights + cache + activations, packing);
    return { weights, packing, cache, activations, program: programBytes, peak, free };
  });
  if (bytes.peak > free) throw outOfMemory(model, bytes, precision);
  const backend = { name: 'cpu', reason } as const;
  return { ...sizes, window, policy, structure, heads, precision, threads: settings.threads, backend, bytes, notices };
}

/** @throws LocretError invalid-argument */
function processorPrecision(precision: WeightPrecision): ProcessorPrecision {
  if (precision !== 'bfloat16' && precision !== 'float16') return precision;
  throw new LocretError(
    'invalid-argument',
    `Weights in ${precision} need a GPU, and the model is to run on the processor.`,
    'Choose float32, int8 or int4 (--precision), or the backend cuda.',
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GB`;
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
