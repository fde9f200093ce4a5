import { layerOf, type ModelShape } from '../../../model/shape.js';
import { GraphBuilder, type Value } from './graph.js';

/** Tells a layer's steering inputs from others; empty where all layers share them: equally long, and with one window. */
export type Steering = '' | `.${number}`;

/** The steering of a layer. */
export function steeringOf(layer: number, layersDiffer: boolean): Steering {
  return layersDiffer ? `.${layer}` : '';
}

/** Rotated queries and keys, and values, of the new tokens, `[1, tokens, heads * headDim]` each. */
export interface NewTokens {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** What a layer's attention reads. */
interface AttentionInputs extends NewTokens {
  readonly steering: Steering;
  /** How far back it reaches; undefined when unlimited. */
  readonly window: number | undefined;
  readonly pastKey: Value;
  readonly pastValue: Value;
}

/** Graph inputs that steer attention; the engine feeds them with every pass. */
export const attentionInputs = {
  /** bool `[1]`: the pass has one token. */
  single: 'single',
  /** float32 `[1, 1, 1, capacity]`: 0 for a unit that the token may attend to, very negative otherwise. */
  pastMask: (steering: Steering): Value => `past_mask${steering}`,
  /** int32 `[1]`: units before and in the pass, minus one. */
  lastUnit: (steering: Steering): Value => `last_slot${steering}`,
  /** int32 scalar: units before and in the pass. */
  totalLength: (steering: Steering): Value => `total_length${steering}`,
  /** float32 `[1, kvHeads, capacity, headDim]`, filled up to the layer's length; rotated to its slots. */
  pastKey: (layer: number): Value => `past_key.${layer}`,
  pastValue: (layer: number): Value => `past_value.${layer}`,
} as const;

/** Added to the logit of a unit that must not be attended to. */
export const maskedLogit = -1e30;

/** Declares the inputs that steer attention: once where all layers share them. */
export function declareAttentionInputs(graph: GraphBuilder, { layers }: ModelShape, layersDiffer: boolean): void {
  graph.input(attentionInputs.single, 'bool', [1]);
  for (let layer = 0; layer < (layersDiffer ? layers.length : 1); layer++) {
    const steering = steeringOf(layer, layersDiffer);
    graph.input(attentionInputs.pastMask(steering), 'float32', [1, 1, 1, `capacity${steering}`]);
    graph.input(attentionInputs.lastUnit(steering), 'int32', [1]);
    graph.input(attentionInputs.totalLength(steering), 'int32', []);
  }
}

/**
 * Causal attention over [cache, new tokens] -> `[1, tokens, heads * headDim]`. A chunk goes through onnxruntime's
 * grouped-query operator. A single token reads the preallocated cache in place: over all of its capacity, with a mask,
 * which costs less than the operator's copy of the cache.
 */
export function addAttention(
  graph: GraphBuilder,
  shape: ModelShape,
  layer: number,
  steering: Steering,
  tokens: NewTokens,
): Value {
  const dimensions = [1, shape.kvHeads, `capacity${steering}`, shape.headDim];
  const inputs: AttentionInputs = {
    ...tokens,
    steering,
    window: layerOf(shape, layer).window,
    pastKey: graph.input(attentionInputs.pastKey(layer), 'float32', dimensions),
    pastValue: graph.input(attentionInputs.pastValue(layer), 'float32', dimensions),
  };
  const branch = (kind: string, add: (branch: GraphBuilder, output: Value) => void): GraphBuilder => {
    const built = new GraphBuilder(`layers.${layer}.${kind}`);
    const output = `layers.${layer}.${kind}.attention`;
    add(built, output);
    built.output(output, 'float32', [1, 'tokens', shape.heads * shape.headDim]);
    return built;
  };
  const output = `layers.${layer}.attention`;
  graph.node('If', [attentionInputs.single], [output], {
    attributes: {
      then_branch: branch('single', (single, into) => {
        singleTokenAttention(graph, single, shape, inputs, into);
      }),
      else_branch: branch('chunk', (chunk, into) => {
        chunkAttention(chunk, shape, inputs, into);
      }),
    },
  });
  return output;
}

function chunkAttention(branch: GraphBuilder, shape: ModelShape, inputs: AttentionInputs, output: Value): void {
  const { steering, window } = inputs;
  const name = output.slice(0, -'.attention'.length);
  branch.contributedNode(
    'GroupQueryAttention',
    [
      inputs.query,
      inputs.key,
      inputs.value,
      inputs.pastKey,
      inputs.pastValue,
      attentionInputs.lastUnit(steering),
      attentionInputs.totalLength(steering),
    ],
    [output, `${name}.presentKey`, `${name}.presentValue`],
    {
      num_heads: shape.heads,
      kv_num_heads: shape.kvHeads,
      do_rotary: 0,
      ...(window === undefined ? {} : { local_window_size: window }),
    },
  );
}

function singleTokenAttention(
  graph: GraphBuilder,
  branch: GraphBuilder,
  { heads, kvHeads, headDim }: ModelShape,
  { query, key, value, pastKey, pastValue, steering }: AttentionInputs,
  output: Value,
): void {
  const name = output.slice(0, -'.attention'.length);
  const queryShape = graph.integers('singleQueryShape', [1, kvHeads, heads / kvHeads, headDim]);
  const keyShape = graph.integers('singleKeyShape', [1, kvHeads, 1, headDim]);
  const outputShape = graph.integers('singleOutputShape', [1, 1, heads * headDim]);
  const scaledTransposed = { transB: 1, alpha: { float: 1 / Math.sqrt(headDim) } };

  const grouped = branch.operator('Reshape', [query, queryShape]);
  const newKey = branch.operator('Reshape', [key, keyShape]);
  const newValue = branch.operator('Reshape', [value, keyShape]);
  const pastLogits = branch.operator('Add', [
    branch.contributed('FusedMatMul', [grouped, pastKey], scaledTransposed),
    attentionInputs.pastMask(steering),
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
  branch.operator('Reshape', [mixed, outputShape], {}, output);
}
