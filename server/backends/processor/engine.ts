import { createHash } from 'node:crypto';
import { LocretError } from '../../errors.js';
import type { EvictionPolicy } from '../../eviction/policy.js';
import { policyByName } from '../../eviction/policy-by-name.js';
import type { Checkpoint, RetainingHeads } from '../../model/checkpoint.js';
import { openCheckpoint } from '../../model/open-checkpoint.js';
import { openRetainingHeads } from '../../model/retaining-heads.js';
import { equalLengthsOf } from '../../eviction/budgets.js';
import { checkPlan } from '../../engine/cache-plan.js';
import { DecoderEngine } from '../../engine/decoder-engine.js';
import { AttentionGraph } from './attention-mass.js';
import { DecoderSession } from './decoder-session.js';
import type { WeightPrecision as ProcessorPrecision } from './graph/linear.js';
import type { Engine, EngineDescription, EngineOptions, WeightPrecision } from '../../engine/engine.js';
import { OnnxDecoder } from './decoder.js';

/** Changes whenever the same weights and tokens may give other numbers than before. */
const numericsVersion = 'onnxruntime-1.30 numerics-1';

function fingerprintOf(checkpoint: Checkpoint, heads: RetainingHeads | undefined, options: EngineOptions): string {
  const { precision, policy, plan } = options;
  const parts = [numericsVersion, checkpoint.fingerprint, heads?.fingerprint ?? '', precision, policy];
  const uneven = plan.uneven === undefined ? [] : [plan.uneven.allocation];
  return createHash('sha256')
    .update([...parts, ...uneven].join('\n'))
    .digest('hex');
}

/** @throws LocretError invalid-argument for a precision that only a GPU has */
function processorPrecision(precision: WeightPrecision): ProcessorPrecision {
  if (precision !== 'bfloat16' && precision !== 'float16') return precision;
  throw new LocretError(
    'invalid-argument',
    `The precision ${precision} needs a GPU; this model runs on the processor.`,
    'Choose float32, int8 or int4.',
  );
}

/**
 * Loads a model into onnxruntime on the CPU. It runs on the thread that calls; `openEngine` puts it into a worker.
 * @param policy what evicts in the place of the policy that the options name
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, heads-corrupt, invalid-argument (a policy that
 * needs heads without heads, a plan that does not add up), disk-full, engine-failed
 */
export async function createOnnxEngine(
  options: EngineOptions,
  policy: EvictionPolicy = policyByName(options.policy),
): Promise<Engine> {
  const { plan, threads, cacheFolder } = options;
  const precision = processorPrecision(options.precision);
  checkPlan(plan);
  const checkpoint = openCheckpoint(options.model);
  try {
    const { shape } = checkpoint;
    // A policy that scores units itself has no use for the heads' scores.
    const headsFile = policy.scoring === undefined ? options.heads : undefined;
    const heads = headsFile === undefined ? undefined : openRetainingHeads(headsFile, shape);
    if (policy.needsRetainingHeads && heads === undefined) {
      throw new LocretError(
        'invalid-argument',
        `The policy "${policy.name}" needs retaining heads, and none were given.`,
        'Give the retaining heads of this model, or choose a policy that needs none.',
      );
    }
    const session = await DecoderSession.open({
      checkpoint,
      heads,
      precision,
      threads,
      chunk: plan.chunk,
      cacheFolder,
      equalLengths: equalLengthsOf(plan),
    });
    const description: EngineDescription = {
      backend: 'onnx',
      shape,
      plan,
      policy: policy.name,
      precision,
      fingerprint: fingerprintOf(checkpoint, heads, options),
      threads,
    };
    const withScores = heads !== undefined || policy.scoring !== undefined;
    const attention = new AttentionGraph(shape, threads);
    const decoder = new OnnxDecoder(session, shape, plan, policy, attention, withScores);
    return new DecoderEngine(description, decoder);
  } finally {
    checkpoint.close();
  }
}
