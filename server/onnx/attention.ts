import type { ModelShape } from '../model/shape.js';
import { GraphBuilder, type Value } from './graph.js';

/** Rotated queries and keys, and values, of the new tokens, `[1, tokens, heads * headDim]` each. */
export interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** `[1, kvHeads, capacity, headDim]`, filled up to the cache's length; rotated to its slots. */
  readonly pastKey: Value;
  readonly pastValue: Value;
}

/** Graph inputs that steer attention; the engine feeds them with every pass. */
export const attentionInputs = {
  /** bool `[1]`: the pass has one token. */
  single: 'single',
  /** float32 `[1, 1, 1, capacity]`: 0 for a unit that the token may attend to, very negative otherwise. */
  pastMask: 'past_mask',
  /** int32 `[1]`: units before and in the pass, minus one. */
  lastSlot: 'last_slot',
  /** int32 scalar: units before and in the pass. */
  totalLength: 'total_length',
} as const;

/** Added to the logit of a unit that must not be attended to. */
export const maskedLogit = -1e30;

/** Declares the inputs that every layer's attention shares. */
export function declareAttentionInputs(graph: GraphBuilder): void {
  graph.input(attentionInputs.single, 'bool', [1]);
  graph.input(attentionInputs.pastMask, 'float32', [1, 1, 1, 'capacity']);
  graph.input(attentionInputs.lastSlot, 'int32', [1]);
  graph.input(attentionInputs.totalLength, 'int32', []);
}

/**
 * Causal attention over [cache, new tokens] -> `[1, tokens, heads * headDim]`. A chunk goes through onnxruntime's
 * grouped-query operator. A single token reads the preallocated cache in place: over all of its capacity, with a mask,
 * which costs less than the operator's copy of the cache.
 */
export function addAttention(graph: GraphBuilder, shape: ModelShape, layer: number, inputs: AttentionInputs): Value {
  const output = `layers.${layer}.attention`;
  graph.node('If', [attentionInputs.single], [output], {
    attributes: {
      then_branch: singleTokenBranch(graph, shape, layer, inputs),
      else_branch: chunkBranch(shape, layer, inputs),
    },
  });
  return output;
}

function chunkBranch(shape: ModelShape, layer: number, inputs: AttentionInputs): GraphBuilder {
  const name = `layers.${layer}.chunk`;
  const branch = new GraphBuilder(name);
  const output = `${name}.attention`;
  branch.contributedNode(
    'GroupQueryAttention',
    [
      inputs.query,
      inputs.key,
      inputs.value,
      inputs.pastKey,
      inputs.pastValue,
      attentionInputs.lastSlot,
      attentionInputs.totalLength,
    ],
    [output, `${name}.presentKey`, `${name}.presentValue`],
    {
      num_heads: shape.heads,
      kv_num_heads: shape.kvHeads,
      do_rotary: 0,
      ...(shape.slidingWindow === undefined ? {} : { local_window_size: shape.slidingWindow }),
    },
  );
  branch.output(output, 'float32', [1, 'tokens', shape.heads * shape.headDim]);
  return branch;
}

function singleTokenBranch(
  graph: GraphBuilder,
  { heads, kvHeads, headDim }: ModelShape,
  layer: number,
  { query, key, value, pastKey, pastValue }: AttentionInputs,
): GraphBuilder {
  const name = `layers.${layer}.single`;
  const branch = new GraphBuilder(name);
  const queryShape = graph.integers('singleQueryShape', [1, kvHeads, heads / kvHeads, headDim]);
  const keyShape = graph.integers('singleKeyShape', [1, kvHeads, 1, headDim]);
  const outputShape = graph.integers('singleOutputShape', [1, 1, heads * headDim]);
  const scaledTransposed = { transB: 1, alpha: { float: 1 / Math.sqrt(headDim) } };

  const grouped = branch.operator('Reshape', [query, queryShape]);
  const newKey = branch.operator('Reshape', [key, keyShape]);
  const newValue = branch.operator('Reshape', [value, keyShape]);
  const pastLogits = branch.operator('Add', [
    branch.contributed('FusedMatMul', [grouped, pastKey], scaledTransposed),
    attentionInputs.pastMask,
  ]);
  const newLogit = branch.contributed('FusedMatMul', [grouped, newKey], scaledTransposed);
  const weights = branch.operator('Softmax', [branch.operator('Concat', [pastLogits, newLogit], { axis: -1 })], {
    axis: -1,
  });
  const capacity = branch.operator('Shape', [pastKey], { start: 2, end: 3 });
  const sizes = branch.operator('Concat', [capacity, graph.integers('oneToken', [1])], { axis: 0 });
  const pastWeights = `${name}.pastWeights`;
  const newWeight = `${name}.newWeight`;
  branch.node('Split', [weights, sizes], [pastWeights, newWeight], { attributes: { axis: -1 } });
  const mixed = branch.operator('Add', [
    branch.operator('MatMul', [pastWeights, pastValue]),
    branch.operator('Mul', [newWeight, newValue]),
  ]);
  const output = branch.operator('Reshape', [mixed, outputShape], {}, `${name}.attention`);
  branch.output(output, 'float32', [1, 'tokens', heads * headDim]);
  return branch;
}
