import type { PlannedBytes } from '../../contract/roots.js';
import type { AllocationName } from '../../contract/words.js';
import { isLocretError, LocretError } from '../../errors.js';
import type { CachePlan } from '../../eviction/cache-plan.js';
import { policyByName, trainingFreeNotice, trainingFreePolicy } from '../../eviction/policy-by-name.js';
import { pyramidBudgets } from '../../eviction/pyramid.js';
import { attentionSinks } from '../../eviction/sink-recent.js';
import type { LoadedModel } from '../../model/model.js';
import { beginningTokens, promptFrame } from '../../model/prompt-frame.js';
import type { ModelShape } from '../../model/shape.js';
import type { MemoryPlan, PlanSettings } from './plan.js';

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
/** Weights are float32 by default up to this many parameters: exact, and quick enough. */
const smallModel = 50e6;

/** Weights of the matrices of one layer. */
export function layerParameters(shape: ModelShape): number {
  const { hidden, heads, kvHeads, headDim, feedForward } = shape;
  return hidden * (2 * heads + 2 * kvHeads) * headDim + 3 * hidden * feedForward;
}

/** Weights of embedding and language head. */
export function tableParameters({ tiedEmbeddings, vocabulary, hidden }: ModelShape): number {
  return (tiedEmbeddings ? 1 : 2) * vocabulary * hidden;
}

function parameters(shape: ModelShape): number {
  return shape.layers.length * layerParameters(shape) + tableParameters(shape);
}

/** Whether exact weights are quick enough. */
export function isSmall(shape: ModelShape): boolean {
  return parameters(shape) <= smallModel;
}

/** The longest layer that an allocation asks for; undefined where all budgets are equal. */
function longestWanted(
  { layers }: ModelShape,
  allocation: AllocationName,
  { budget, pinned, stabilizers }: Pick<CachePlan, 'budget' | 'pinned' | 'stabilizers'>,
): number | undefined {
  if (allocation === 'even' || layers.length === 1) return undefined;
  return pyramidBudgets({ budget, exempt: pinned + stabilizers, layers: layers.length, longest: Infinity })[0];
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
  // A layer that keeps more than the others takes slots that would be free behind it.
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
  readonly common: Pick<MemoryPlan, 'window' | 'heads' | 'policy' | 'structure' | 'threads' | 'notices'>;
  /** Exact weights are quick enough. */
  readonly isSmall: boolean;
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
  const pinned = Math.max(beginningTokens(model, promptFrame(model).before).length, needsHeads ? 0 : attentionSinks);
  return {
    common: {
      window,
      heads,
      policy,
      structure,
      threads: settings.threads,
      notices: needsHeads ? [] : [trainingFreeNotice],
    },
    isSmall: isSmall(shape),
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
