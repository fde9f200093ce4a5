import type { EngineOptions } from '../engine/engine.js';
import { LocretError } from '../errors.js';
import { checkPlan } from '../eviction/cache-plan.js';
import type { EvictionPolicy } from '../eviction/policy.js';
import type { Checkpoint, RetainingHeads } from '../model/checkpoint.js';
import { openModelSource } from '../model/open-model-source.js';
import { openRetainingHeads } from '../model/retaining-heads.js';

/** What every engine is made of. */
export interface EngineParts {
  readonly checkpoint: Checkpoint;
  /** Undefined also for policies that score units themselves: they have no use for the heads' scores. */
  readonly heads: RetainingHeads | undefined;
}

/**
 * Opens the files of a model for as long as an engine is made of them.
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, heads-corrupt, invalid-argument (a policy that
 * needs heads without heads, a plan that does not add up); what making the engine throws
 */
export async function withEngineParts<Made>(
  { model, heads: file, plan }: EngineOptions,
  policy: EvictionPolicy,
  make: (parts: EngineParts) => Made | Promise<Made>,
): Promise<Made> {
  checkPlan(plan);
  const checkpoint = openModelSource(model).openWeights();
  try {
    const isRead = file !== undefined && policy.scoring === undefined;
    const heads = isRead ? openRetainingHeads(file, checkpoint.shape) : undefined;
    if (!policy.needsRetainingHeads || heads !== undefined) return await make({ checkpoint, heads });
    throw new LocretError(
      'invalid-argument',
      `The policy "${policy.name}" needs retaining heads, and none were given.`,
      'Give the retaining heads of this model, or choose a policy that needs none.',
    );
  } finally {
    checkpoint.close();
  }
}
