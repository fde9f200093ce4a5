import type { ModelShape } from '../../model/shape.js';
import { GraphBuilder } from '../../backends/processor/graph/graph.js';
import { addSeenUnitLogits, addUnitLogits, unitAttentionNames } from '../../backends/processor/graph/unit-attention.js';

/** Names of the inputs and outputs of the label passes; each is of one KV head. */
export const labelNames = {
  ...unitAttentionNames,
  /** float32 `[memory, headDim]` */
  values: 'values',
  /** float32 `[rows]`: log ‖h‖ of the normalized input of attention. */
  stateNorms: 'state_norms',
  /** float32 `[hidden, heads * headDim]`: a layer's output projection. */
  projection: 'projection',
  /** float32 `[group, headDim, headDim]`: WᵀW of each query head's part of the output projection; or of all heads. */
  gram: 'gram',
  /** float32 `[group, memory]`: log ‖W v‖ */
  outputNorms: 'output_norms',
  /** float32 `[units]` or `[memory]` */
  labels: 'labels',
} as const;

/** The smallest contribution that is told apart: its logarithm is the lowest label. */
const leastContribution = 1e-9;
/** Below this a squared norm counts as this, so that it has a logarithm. */
const leastSquare = 1e-36;

/**
 * The published label (arXiv 2410.01805, section 3.3): the largest logit before the softmax that a query head of the
 * group gives to the unit, over all rows.
 */
export function buildLogitLabelGraph(shape: ModelShape): Uint8Array {
  const graph = new GraphBuilder('logit_labels');
  const rowsAndGroup = graph.integers('rowsAndGroup', [0, 1]);
  graph.operator('ReduceMax', [addUnitLogits(graph, shape), rowsAndGroup], { keepdims: 0 }, labelNames.labels);
  graph.output(labelNames.labels, 'float32', ['units']);
  return graph.writeModel();
}

/**
 * The label of KVzap (arXiv 2601.07891): the logarithm of the largest attention · ‖W_o v‖ / ‖h‖ over the rows and the query
 * heads of the group. What it measures is the share of a layer's output, so that it can be compared over heads and layers.
 *
 * The units' norms differ by query head and not by row, so the largest attention over the rows is taken first.
 */
export function buildContributionLabelGraph(shape: ModelShape): Uint8Array {
  const { heads, kvHeads } = shape;
  const graph = new GraphBuilder('contribution_labels');
  const { stateNorms, outputNorms, labels } = labelNames;
  const shares = graph.operator('LogSoftmax', [addSeenUnitLogits(graph, shape)], { axis: -1 });
  graph.input(stateNorms, 'float32', ['rows']);
  graph.input(outputNorms, 'float32', [heads / kvHeads, 'memory']);
  const byRow = graph.operator('Unsqueeze', [stateNorms, graph.integers('behindRows', [1, 2])]);
  const first = graph.integers('firstAxis', [0]);
  const largest = graph.operator('ReduceMax', [graph.operator('Sub', [shares, byRow]), first], { keepdims: 0 });
  const memory = graph.operator('Shape', [outputNorms], { start: 1, end: 2 });
  const ofMemory = graph.operator('Slice', [
    largest,
    graph.integers('begin', [0]),
    memory,
    graph.integers('unitAxis', [1]),
  ]);
  const contribution = graph.operator('ReduceMax', [graph.operator('Add', [ofMemory, outputNorms]), first], {
    keepdims: 0,
  });
  graph.operator('Max', [contribution, graph.float('least', Math.log(leastContribution))], {}, labels);
  graph.output(labels, 'float32', ['memory']);
  return graph.writeModel();
}

/** WᵀW of each query head's columns W of the output projection, `[heads, headDim, headDim]`. */
export function buildOutputGramGraph({ hidden, heads, headDim }: ModelShape): Uint8Array {
  const graph = new GraphBuilder('output_gram');
  graph.input(labelNames.projection, 'float32', [hidden, heads * headDim]);
  const columns = graph.operator('Reshape', [
    labelNames.projection,
    graph.integers('columnsShape', [hidden, heads, headDim]),
  ]);
  const turned = graph.operator('Transpose', [columns], { perm: [1, 2, 0] });
  const straight = graph.operator('Transpose', [columns], { perm: [1, 0, 2] });
  graph.operator('MatMul', [turned, straight], {}, labelNames.gram);
  graph.output(labelNames.gram, 'float32', [heads, headDim, headDim]);
  return graph.writeModel();
}

/** log ‖W v‖ = ½ log(vᵀ WᵀW v) for every query head's part W of the output projection and every unit. */
export function buildOutputNormGraph({ heads, kvHeads, headDim }: ModelShape): Uint8Array {
  const group = heads / kvHeads;
  const graph = new GraphBuilder('output_norms');
  graph.input(labelNames.values, 'float32', ['memory', headDim]);
  graph.input(labelNames.gram, 'float32', [group, headDim, headDim]);
  const products = graph.operator('Mul', [
    graph.operator('MatMul', [labelNames.values, labelNames.gram]),
    labelNames.values,
  ]);
  const squares = graph.operator('ReduceSum', [products, graph.integers('lastAxis', [-1])], { keepdims: 0 });
  const logarithm = graph.operator('Log', [graph.operator('Max', [squares, graph.float('least', leastSquare)])]);
  graph.operator('Mul', [logarithm, graph.float('half', 0.5)], {}, labelNames.outputNorms);
  graph.output(labelNames.outputNorms, 'float32', [group, 'memory']);
  return graph.writeModel();
}
