import { createHash } from 'node:crypto';
import { DecoderEngine } from '../../engine/decoder-engine.js';
import type { Engine, EngineOptions } from '../../engine/engine.js';
import type { EvictionPolicy } from '../../eviction/policy.js';
import { policyByName } from '../../eviction/policy-by-name.js';
import { type EngineParts, withEngineParts } from '../engine-parts.js';
import { AttentionGraph } from './attention-mass.js';
import { ProcessorDecoder } from './decoder.js';
import { DecoderSession } from './decoder-session.js';
import { processorName } from './name.js';
import { processorPrecision } from './precision.js';

/** Changes whenever the same weights and tokens may give other numbers than before. */
const numericsVersion = 'onnxruntime-1.30 numerics-1';

function fingerprintOf({ checkpoint, heads }: EngineParts, { precision, policy, plan }: EngineOptions): string {
  const parts = [numericsVersion, checkpoint.fingerprint, heads?.fingerprint ?? '', precision, policy];
  const uneven = plan.uneven === undefined ? [] : [plan.uneven.allocation];
  return createHash('sha256')
    .update([...parts, ...uneven].join('\n'))
    .digest('hex');
}

/**
 * Loads a model into onnxruntime on the processor. It runs on the thread that calls; `openEngine` puts it into a worker.
 * @param policy what evicts in the place of the policy that the options name
 * @throws LocretError what {@link withEngineParts} throws; disk-full, engine-failed
 */
export async function createProcessorEngine(
  options: EngineOptions,
  policy: EvictionPolicy = policyByName(options.policy),
): Promise<Engine> {
  const { plan, threads, cacheFolder } = options;
  const precision = processorPrecision(options.precision);
  return withEngineParts(options, policy, async (parts) => {
    const { checkpoint, heads } = parts;
    const { shape } = checkpoint;
    const { chunk } = plan;
    const layersDiffer = plan.uneven !== undefined;
    const session = await DecoderSession.open({ ...parts, precision, threads, chunk, cacheFolder, layersDiffer });
    const fingerprint = fingerprintOf(parts, options);
    const description = { backend: processorName, shape, plan, policy: policy.name, precision, fingerprint, threads };
    const withScores = heads !== undefined || policy.scoring !== undefined;
    const attention = new AttentionGraph(shape, threads);
    const decoder = new ProcessorDecoder(session, shape, plan, policy, attention, withScores);
    return new DecoderEngine(description, decoder);
  });
}
