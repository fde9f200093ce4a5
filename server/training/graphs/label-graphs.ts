import type { ModelShape } from '../../model/shape.js';
import { GraphBuilder, type Value } from '../../backends/processor/graph/graph.js';

/** Names of the inputs and outputs of the label passes; each is of one layer. */
export const labelNames = {
  /** float32 `[rows, heads * headDim]`, rotated: queries of later tokens. */
  queries: 'queries',
  /** float32 `[kvHeads, units, headDim]`, rotated: the memory's units first, those of later tokens behind. */
  keys: 'keys',
  /** float32 `[kvHeads, memory, headDim]` */
  values: 'values',
  /** float32 `[rows, units]`: 0 for a unit that the row's token sees, very negative otherwise. */
  mask: 'mask',
  /** float32 `[rows]`: 1 / ‖h‖ of the normalized input of attention. */
  inverseNorms: 'inverse_norms',
  /** int64 `[1]`: units of the memory. */
  memory: 'memory',
  /** float32 `[kvHeads, group, headDim, headDim]`: WᵀW of each query head's part of the output projection. */
  gram: 'gram',
  /** float32 `[kvHeads, group, memory]`: ‖W v‖ */
  outputNorms: 'output_norms',
  /** float32 `[kvHeads, units]` or `[kvHeads, memory]` */
  labels: 'labels',
} as const;

/** The smallest contribution that is told apart: its logarithm is the lowest label. */
const leastContribution = 1e-9;

/** q·k/√d of every row with every unit: `[kvHeads, rows, group, units]`. */
function addLogits(graph: GraphBuilder, { heads, kvHeads, headDim }: ModelShape): Value {
  const group = heads / kvHeads;
  graph.input(labelNames.queries, 'float32', ['rows', heads * headDim]);
  graph.input(labelNames.keys, 'float32', [kvHeads, 'units', headDim]);
  const split = graph.operator('Reshape', [
    labelNames.queries,
    graph.integers('splitShape', [-1, kvHeads, group, headDim]),
  ]);
  const byHead = graph.operator('Transpose', [split], { perm: [1, 0, 2, 3] });
  const flat = graph.operator('Reshape', [byHead, graph.integers('flatShape', [kvHeads, -1, headDim])]);
  const logits = graph.contributed('FusedMatMul', [flat, labelNames.keys], {
    transB: 1,
    alpha: { float: 1 / Math.sqrt(headDim) },
  });
  const units = graph.operator('Shape', [labelNames.keys], { start: 1, end: 2 });
  const shape = graph.operator('Concat', [graph.integers('groupShape', [kvHeads, -1, group]), units], { axis: 0 });
  return graph.operator('Reshape', [logits, shape]);
}

/**
 * The published label (arXiv 2410.01805, section 3.3): the largest logit before the softmax that a query head of the
 * group gives to the unit, over all rows.
 */
export function buildLogitLabelGraph(shape: ModelShape): Uint8Array {
  const graph = new GraphBuilder('logit_labels');
  const logits = addLogits(graph, shape);
  graph.operator('ReduceMax', [logits, graph.integers('axes', [1, 2])], { keepdims: 0 }, labelNames.labels);
  graph.output(labelNames.labels, 'float32', [shape.kvHeads, 'units']);
  return graph.writeModel();
}

/**
 * The label of KVzap (arXiv 2601.07891): the logarithm of the largest attention · ‖W_o v‖ / ‖h‖ over the rows and the query
 * heads of the group. What it measures is the share of a layer's output, so that it can be compared over heads and layers.
 */
export function buildContributionLabelGraph(shape: ModelShape): Uint8Array {
  const { heads, kvHeads } = shape;
  const graph = new GraphBuilder('contribution_labels');
  const logits = addLogits(graph, shape);
  graph.input(labelNames.mask, 'float32', ['rows', 'units']);
  graph.input(labelNames.inverseNorms, 'float32', ['rows']);
  graph.input(labelNames.memory, 'int64', [1]);
  graph.input(labelNames.outputNorms, 'float32', [kvHeads, heads / kvHeads, 'memory']);
  const mask = graph.operator('Unsqueeze', [labelNames.mask, graph.integers('groupAxis', [1])]);
  const attention = graph.operator('Softmax', [graph.operator('Add', [logits, mask])], { axis: -1 });
  const seen = graph.operator('Slice', [
    attention,
    graph.integers('begin', [0]),
    labelNames.memory,
    graph.integers('unitAxis', [3]),
  ]);
  const inverse = graph.operator('Unsqueeze', [labelNames.inverseNorms, graph.integers('behindRows', [1, 2])]);
  const weighted = graph.operator('ReduceMax', [graph.operator('Mul', [seen, inverse]), graph.integers('rows', [1])], {
    keepdims: 0,
  });
  const contribution = graph.operator(
    'ReduceMax',
    [graph.operator('Mul', [weighted, labelNames.outputNorms]), graph.integers('group', [1])],
    { keepdims: 0 },
  );
  const bounded = graph.operator('Max', [contribution, graph.float('least', leastContribution)]);
  graph.operator('Log', [bounded], {}, labelNames.labels);
  graph.output(labelNames.labels, 'float32', [kvHeads, 'memory']);
  return graph.writeModel();
}

/** ‖W v‖ = √(vᵀ WᵀW v) for every query head's part W of the output projection and every unit. */
export function buildOutputNormGraph({ heads, kvHeads, headDim }: ModelShape): Uint8Array {
  const graph = new GraphBuilder('output_norms');
  graph.input(labelNames.values, 'float32', [kvHeads, 'memory', headDim]);
  graph.input(labelNames.gram, 'float32', [kvHeads, heads / kvHeads, headDim, headDim]);
  const values = graph.operator('Unsqueeze', [labelNames.values, graph.integers('groupAxis', [1])]);
  const products = graph.operator('Mul', [graph.operator('MatMul', [values, labelNames.gram]), values]);
  const squares = graph.operator('ReduceSum', [products, graph.integers('lastAxis', [-1])], { keepdims: 0 });
  const bounded = graph.operator('Max', [squares, graph.float('zero', 0)]);
  graph.operator('Sqrt', [bounded], {}, labelNames.outputNorms);
  graph.output(labelNames.outputNorms, 'float32', [kvHeads, heads / kvHeads, 'memory']);
  return graph.writeModel();
}
