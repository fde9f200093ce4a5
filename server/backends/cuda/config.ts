import { LocretError } from '../../errors.js';
import type { PolicyName } from '../../eviction/policy.js';
import type { CachePrecision, HeadInput, WeightPrecision } from '../../contract/words.js';
import type { RetainingHeads } from '../../model/checkpoint.js';
import { commonLayer, type ModelShape } from '../../model/shape.js';
import type { CachePlan } from '../../engine/engine.js';

/** The name of this backend. */
export const cudaName = 'cuda';

/** The values of `locret::NumberFormat`. */
export const numberFormats = { float32: 0, bfloat16: 1, float16: 2, int8: 3, int4: 4 } as const;

/** The values of `locret::HeadInput`. */
const headInputs: Readonly<Record<HeadInput, number>> = { qkv: 0, hidden: 1 };

/** The policies that the device has. */
const policies: ReadonlyMap<PolicyName, number> = new Map([
  ['locret', 0],
  ['key-difference', 1],
  ['sink-recent', 2],
]);

function unsupported(what: string): LocretError {
  return new LocretError('model-unsupported', `${what} runs on the processor only.`, 'Choose the backend cpu.');
}

/** What a device engine is made of, besides the model's weights. */
export interface CudaSizes {
  readonly shape: ModelShape;
  readonly plan: CachePlan;
  readonly policy: PolicyName;
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
  /** The retaining heads, where there are some. */
  readonly heads: Pick<RetainingHeads, 'input' | 'width'> | undefined;
}

function format(precision: keyof typeof numberFormats): number {
  return numberFormats[precision];
}

/** The format of activations: bfloat16 beside quantized weights, otherwise the weights'. */
function activationFormat(precision: WeightPrecision): number {
  return format(precision === 'int8' || precision === 'int4' ? 'bfloat16' : precision);
}

/** `LocretConfig` of shaders-cuda/engine/locret-cuda.h, field by field. */
export type CudaConfig = Readonly<ReturnType<typeof cudaConfig>>;

/**
 * The configuration of an engine, as the native side takes it.
 * @throws LocretError model-unsupported for what only the processor does
 */
export function cudaConfig({ shape, plan, policy, precision, cachePrecision, heads }: CudaSizes) {
  const devicePolicy = policies.get(policy);
  if (devicePolicy === undefined) throw unsupported(`The policy "${policy}"`);
  if (plan.uneven !== undefined) throw unsupported(`The allocation "${plan.uneven.allocation}"`);
  const layer = commonLayer(shape);
  if (layer === undefined) throw unsupported('A model whose layers differ');
  return {
    layers: shape.layers.length,
    hidden: shape.hidden,
    heads: shape.heads,
    kvHeads: shape.kvHeads,
    headDim: shape.headDim,
    feedForward: shape.feedForward,
    vocabulary: shape.vocabulary,
    rotaryDim: layer.rope.rotaryDim,
    slidingWindow: layer.window ?? 0,
    normEpsilon: shape.normEpsilon,
    tiedEmbeddings: shape.tiedEmbeddings,
    queryKeyValueBias: shape.queryKeyValueBias,
    outputBias: shape.outputBias,
    feedForwardBias: shape.feedForwardBias,
    queryKeyNorm: layer.norms.includes('queryHead'),
    headWidth: heads?.width ?? 0,
    headInput: headInputs[heads?.input ?? 'qkv'],
    policy: devicePolicy,
    weightFormat: format(precision),
    cacheFormat: cachePrecision === 'full' ? activationFormat(precision) : format(cachePrecision),
    budget: plan.budget === Infinity ? 0 : plan.budget,
    chunk: plan.chunk,
    stabilizers: plan.stabilizers,
    pinned: plan.pinned,
    capacity: plan.capacity,
  };
}
