import type { PolicyName } from '../memory/policies/policy.js';
import type { ModelShape } from '../model/shape.js';
import type { CudaConfig } from './cuda-binding.js';
import type { CachePlan, CachePrecision, WeightPrecision } from './engine.js';

/** The values of `locret::NumberFormat`. */
export const numberFormats = { float32: 0, bfloat16: 1, float16: 2, int8: 3, int4: 4 } as const;

const policies: Readonly<Record<PolicyName, number>> = { locret: 0, 'key-difference': 1, 'sink-recent': 2 };

/** What a device engine is made of, besides the model's weights. */
export interface CudaSizes {
  readonly shape: ModelShape;
  readonly plan: CachePlan;
  readonly policy: PolicyName;
  readonly precision: WeightPrecision;
  readonly cachePrecision: CachePrecision;
  /** Width of the retaining heads; 0 without. */
  readonly headWidth: number;
}

/** The format of activations: bfloat16 beside quantized weights, otherwise the weights'. */
function activationFormat(precision: WeightPrecision): number {
  return numberFormats[precision === 'int8' || precision === 'int4' ? 'bfloat16' : precision];
}

/** The configuration of an engine, as the native side takes it. */
export function cudaConfig({ shape, plan, policy, precision, cachePrecision, headWidth }: CudaSizes): CudaConfig {
  return {
    layers: shape.layers,
    hidden: shape.hidden,
    heads: shape.heads,
    kvHeads: shape.kvHeads,
    headDim: shape.headDim,
    feedForward: shape.feedForward,
    vocabulary: shape.vocabulary,
    rotaryDim: shape.rope.rotaryDim,
    slidingWindow: shape.slidingWindow ?? 0,
    normEpsilon: shape.normEpsilon,
    tiedEmbeddings: shape.tiedEmbeddings,
    queryKeyValueBias: shape.queryKeyValueBias,
    outputBias: shape.outputBias,
    feedForwardBias: shape.feedForwardBias,
    queryKeyNorm: shape.queryKeyNorm,
    headWidth,
    policy: policies[policy],
    weightFormat: numberFormats[precision],
    cacheFormat: cachePrecision === 'full' ? activationFormat(precision) : numberFormats[cachePrecision],
    budget: plan.budget === Infinity ? 0 : plan.budget,
    chunk: plan.chunk,
    stabilizers: plan.stabilizers,
    pinned: plan.pinned,
    capacity: plan.capacity,
  };
}
