import { createHash } from 'node:crypto';
import { LocretError } from '../../errors.js';
import { policyByName } from '../../eviction/policy-by-name.js';
import { openModelSource } from '../../model/open-model-source.js';
import { openRetainingHeads } from '../../model/retaining-heads.js';
import { RopeTables } from '../../model/rope-table.js';
import { checkPlan } from '../../engine/cache-plan.js';
import { loadCudaBinding } from './binding.js';
import { cudaConfig } from './config.js';
import { CudaDecoder } from './decoder.js';
import { cudaError, guardCuda } from './errors.js';
import { loadWeights } from './weights.js';
import { DecoderEngine } from '../../engine/decoder-engine.js';
import type { CudaOptions, Engine, EngineDescription, EngineOptions } from '../../engine/engine.js';

/**
 * Loads a model onto a GPU. It runs on the thread that calls; `openEngine` puts it into a worker.
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, heads-corrupt, invalid-argument (a policy that
 * needs heads without heads, a plan that does not add up), out-of-memory with the arithmetic, engine-failed
 */
export function createCudaEngine(
  options: EngineOptions,
  { binding: file, device, cachePrecision }: CudaOptions,
): Engine {
  const { plan, precision, threads } = options;
  checkPlan(plan);
  const policy = policyByName(options.policy);
  const binding = loadCudaBinding(file);
  const checkpoint = openModelSource(options.model).openWeights();
  try {
    const { shape } = checkpoint;
    const heads = options.heads === undefined ? undefined : openRetainingHeads(options.heads, shape);
    if (policy.needsRetainingHeads && heads === undefined) {
      throw new LocretError(
        'invalid-argument',
        `The policy "${policy.name}" needs retaining heads, and none were given.`,
        'Give the retaining heads of this model, or choose a policy that needs none.',
      );
    }
    const config = cudaConfig({ shape, plan, policy: policy.name, precision, cachePrecision, heads });
    const planned = guardCuda(() => binding.plan(config));
    const { cos, sin } = new RopeTables(shape, plan.capacity).of(0);
    const engine = guardCuda(() => binding.open(config, cos, sin, device));
    try {
      loadWeights(binding, engine, checkpoint, heads);
    } catch (error) {
      binding.close(engine);
      throw cudaError(error);
    }
    const identity = [
      `cuda numerics-${binding.numerics}`,
      checkpoint.fingerprint,
      heads?.fingerprint ?? '',
      precision,
      cachePrecision,
      policy.name,
    ];
    const description: EngineDescription = {
      backend: 'cuda',
      shape,
      plan,
      policy: policy.name,
      precision,
      fingerprint: createHash('sha256').update(identity.join('\n')).digest('hex'),
      threads,
    };
    return new DecoderEngine(description, new CudaDecoder(binding, engine, planned, description, heads !== undefined));
  } finally {
    checkpoint.close();
  }
}
