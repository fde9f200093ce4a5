import type { ModelShape } from '../../../model/shape.js';
import { maskedLogit } from './attention.js';
import { GraphBuilder, type Value } from './graph.js';

/** Names of what a graph is told about tokens whose attention is wanted, and of one KV head's units. */
export const unitAttentionNames = {
  /** float32 `[rows, group * headDim]`, rotated: each token's queries of the query heads that share the KV head. */
  queries: 'queries',
  /** float32 `[units, headDim]`, rotated. */
  keys: 'keys',
  /** int64 `[rows]`: each token sees the units from `first` on that lie before `end`. */
  first: 'first',
  end: 'end',
  /** float32 `[units]` */
  mass: 'mass',
} as const;

/** q·k/√d of every row's query heads with every unit, whether the row sees it or not: `[rows, group, units]`. */
export function addUnitLogits(graph: GraphBuilder, { heads, kvHeads, headDim }: ModelShape): Value {
  const { queries, keys } = unitAttentionNames;
  const group = heads / kvHeads;
  graph.input(queries, 'float32', ['rows', group * headDim]);
  graph.input(keys, 'float32', ['units', headDim]);
  const flat = graph.operator('Reshape', [queries, graph.integers('flatShape', [-1, headDim])]);
  const logits = graph.contributed('FusedMatMul', [flat, keys], {
    transB: 1,
    alpha: { float: 1 / Math.sqrt(headDim) },
  });
  const units = graph.operator('Shape', [keys], { start: 0, end: 1 });
  const shape = graph.operator('Concat', [graph.integers('groupShape', [-1, group]), units], { axis: 0 });
  return graph.operator('Reshape', [logits, shape]);
}

/** As {@link addUnitLogits}, very negative where the row does not see the unit. */
export function addSeenUnitLogits(graph: GraphBuilder, shape: ModelShape): Value {
  const { keys, first, end } = unitAttentionNames;
  const logits = addUnitLogits(graph, shape);
  graph.input(first, 'int64', ['rows']);
  graph.input(end, 'int64', ['rows']);
  const units = graph.operator('Squeeze', [graph.operator('Shape', [keys], { start: 0, end: 1 })]);
  const places = graph.operator('Range', [graph.integers('zero', 0), units, graph.integers('one', 1)]);
  const behindRows = graph.integers('behindRows', [1, 2]);
  const byRow = (value: Value): Value => graph.operator('Unsqueeze', [value, behindRows]);
  const seen = graph.operator('And', [
    graph.operator('GreaterOrEqual', [places, byRow(first)]),
    graph.operator('Less', [places, byRow(end)]),
  ]);
  return graph.operator('Where', [seen, logits, graph.float('masked', maskedLogit)]);
}

/** The attention that all rows' query heads pay to each unit of one KV head, added up: softmax(q·k/√d) over seen units. */
export function buildAttentionMassGraph(shape: ModelShape): Uint8Array {
  const graph = new GraphBuilder('attention_mass');
  const weights = graph.operator('Softmax', [addSeenUnitLogits(graph, shape)], { axis: -1 });
  const { mass } = unitAttentionNames;
  graph.operator('ReduceSum', [weights, graph.integers('rowsAndGroup', [0, 1])], { keepdims: 0 }, mass);
  graph.output(mass, 'float32', ['units']);
  return graph.writeModel();
}
