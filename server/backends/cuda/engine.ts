import { createHash } from 'node:crypto';
import { DecoderEngine } from '../../engine/decoder-engine.js';
import { type CachePrecision, cachePrecisions } from '../../contract/words.js';
import type { Engine, EngineOptions } from '../../engine/engine.js';
import { LocretError } from '../../errors.js';
import { policyByName } from '../../eviction/policy-by-name.js';
import { RopeTables } from '../../model/rope-table.js';
import { withEngineParts } from '../engine-parts.js';
import { loadCudaBinding } from './binding.js';
import { cudaConfig, cudaName } from './config.js';
import { CudaDecoder } from './decoder.js';
import { cudaError, guardCuda } from './errors.js';
import { loadWeights } from './weights.js';

/** A GPU to run on: the options of this backend. */
export interface CudaOptions {
  /** The file of the engine for it; see `cudaBindingFile`. */
  readonly binding: string;
  /** Index among the machine's devices. */
  readonly device: number;
  readonly cachePrecision: CachePrecision;
}

function cudaOptions({ backend }: EngineOptions): CudaOptions {
  const options = backend?.options;
  if (isCudaOptions(options)) return options;
  throw new LocretError('invalid-argument', 'The options name no GPU.', 'Give the file of the engine and a device.');
}

function isCudaOptions(options: unknown): options is CudaOptions {
  if (typeof options !== 'object' || options === null) return false;
  const members = new Map<string, unknown>(Object.entries(options));
  const isNumber = typeof members.get('device') === 'number';
  const cachePrecision = members.get('cachePrecision');
  return (
    isNumber && typeof members.get('binding') === 'string' && cachePrecisions.some((known) => known === cachePrecision)
  );
}

/**
 * Loads a model onto a GPU. It runs on the thread that calls; `openEngine` puts it into a worker.
 * @throws LocretError what {@link withEngineParts} throws; out-of-memory with the arithmetic, engine-failed
 */
export async function createCudaEngine(options: EngineOptions): Promise<Engine> {
  const { binding: file, device, cachePrecision } = cudaOptions(options);
  const { plan, precision, threads } = options;
  const policy = policyByName(options.policy);
  const binding = loadCudaBinding(file);
  return withEngineParts(options, policy, ({ checkpoint, heads }) => {
    const { shape } = checkpoint;
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
    const fingerprint = createHash('sha256').update(identity.join('\n')).digest('hex');
    const description = { backend: cudaName, shape, plan, policy: policy.name, precision, fingerprint, threads };
    return new DecoderEngine(description, new CudaDecoder(binding, engine, planned, description, heads !== undefined));
  });
}
