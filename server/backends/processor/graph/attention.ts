import { layerOf, type ModelShape } from '../../../model/shape.js';
import { GraphBuilder, type Value } from './graph.js';

/** Which KV heads hold equally many cache units: those of all layers, those of a layer, or each its own number. */
export type EqualLengths = 'model' | 'layer' | 'head';

/** KV heads of a layer that hold equally many units and share one attention operator. */
export interface HeadGroup {
  readonly kvHeads: number;
  /** Tells the group's steering inputs from others: empty where all layers share them. */
  readonly steering: string;
  /** How far back attention reaches; undefined when unlimited. */
  readonly window: number | undefined;
  /** Tells the group's cache from others. */
  readonly past: string;
}

/** The groups of a layer's KV heads, in their order; they are equally large. */
export function headGroups(shape: ModelShape, equal: EqualLengths, layer: number): readonly HeadGroup[] {
  const { kvHeads, layers } = shape;
  const { window } = layerOf(shape, layer);
  switch (equal) {
    case 'model': {
      const steering = window === layers[0]?.window ? '' : `.window${window ?? ''}`;
      return [{ kvHeads, steering, window, past: `.${layer}` }];
    }
    case 'layer':
      return [{ kvHeads, steering: `.${layer}`, window, past: `.${layer}` }];
    case 'head':
      return Array.from({ length: kvHeads }, (_, kvHead) => {
        const name = `.${layer}.${kvHead}`;
        return { kvHeads: 1, steering: name, window, past: name };
      });
  }
}

/** Rotated queries and keys, and values, of the new tokens, `[1, tokens, heads * headDim]` each. */
export interface NewTokens {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** What a group's attention reads. */
interface GroupInputs extends NewTokens {
  readonly group: HeadGroup;
  readonly pastKey: Value;
  readonly pastValue: Value;
}

/** Graph inputs that steer attention; the engine feeds them with every pass. */
export const attentionInputs = {
  /** bool `[1]`: the pass has one token. */
  single: 'single',
  /** float32 `[1, 1, 1, capacity]`: 0 for a unit that the token may attend to, very negative otherwise. */
  pastMask: ({ steering }: HeadGroup): Value => `past_mask${steering}`,
  /** int32 `[1]`: units before and in the pass, minus one. */
  lastUnit: ({ steering }: HeadGroup): Value => `last_slot${steering}`,
  /** int32 scalar: units before and in the pass. */
  totalLength: ({ steering }: HeadGroup): Value => `total_length${steering}`,
  /** float32 `[1, kvHeads, capacity, headDim]`, filled up to the group's length; rotated to its slots. */
  pastKey: ({ past }: HeadGroup): Value => `past_key${past}`,
  pastValue: ({ past }: HeadGroup): Value => `past_value${past}`,
} as const;

/** Added to the logit of a unit that must not be attended to. */
export const maskedLogit = -1e30;

/** Groups with steering inputs of their own: one where all layers share them and reach equally far back. */
export function steeredGroups(shape: ModelShape, equal: EqualLengths): readonly HeadGroup[] {
  const groups = shape.layers.flatMap((_, layer) => headGroups(shape, equal, layer));
  return [...new Map(groups.map((group) => [group.steering, group])).values()];
}

/** Declares the inputs that steer attention. */
export function declareAttentionInputs(graph: GraphBuilder, shape: ModelShape, equal: EqualLengths): void {
  graph.input(attentionInputs.single, 'bool', [1]);
  for (const group of steeredGroups(shape, equal)) {
    graph.input(attentionInputs.pastMask(group), 'float32', [1, 1, 1, `capacity${group.steering}`]);
    graph.input(attentionInputs.lastUnit(group), 'int32', [1]);
    graph.input(attentionInputs.totalLength(group), 'int32', []);
  }
}

/** The parts of a layer's queries, keys and values that belong to each group. */
function splitByGroup(
  graph: GraphBuilder,
  { heads, kvHeads, headDim }: ModelShape,
  layer: number,
  tokens: NewTokens,
  groups: number,
): NewTokens[] {
  if (groups === 1) return [tokens];
  const parts = (which: keyof NewTokens, width: number): Value[] => {
    const names = Array.from({ length: groups }, (_, group) => `layers.${layer}.group.${group}.${which}`);
    const sizes = graph.integers(`group.${which}Sizes`, new Array<number>(groups).fill(width / groups));
    graph.node('Split', [tokens[which], sizes], names, { attributes: { axis: -1 } });
    return names;
  };
  const query = parts('query', heads * headDim);
  const key = parts('key', kvHeads * headDim);
  const value = parts('value', kvHeads * headDim);
  return query.map((name, group) => ({ query: name, key: key[group] ?? '', value: value[group] ?? '' }));
}

/**
 * Causal attention over [cache, new tokens] -> `[1, tokens, heads * headDim]`. A chunk goes through onnxruntime's
 * grouped-query operator. A single token reads the preallocated cache in place: over all of its capacity, with a mask,
 * which costs less than the operator's copy of the cache. KV heads of different lengths have operators of their own: the
 * grouped-query operator takes one length for all of its heads.
 */
export function addAttention(
  graph: GraphBuilder,
  shape: ModelShape,
  layer: number,
  equal: EqualLengths,
  tokens: NewTokens,
): Value {
  const groups = headGroups(shape, equal, layer);
  const parts = splitByGroup(graph, shape, layer, tokens, groups.length);
  const inputs = groups.map((group, index): GroupInputs => {
    const dimensions = [1, group.kvHeads, `capacity${group.steering}`, shape.headDim];
    return {
      group,
      ...(parts[index] ?? tokens),
      pastKey: graph.input(attentionInputs.pastKey(group), 'float32', dimensions),
      pastValue: graph.input(attentionInputs.pastValue(group), 'float32', dimensions),
    };
  });
  const output = `layers.${layer}.attention`;
  const ofGroup = { ...shape, heads: shape.heads / groups.length, kvHeads: shape.kvHeads / groups.length };
  graph.node('If', [attentionInputs.single], [output], {
    attributes: {
      then_branch: branchOf(`layers.${layer}.single`, shape, inputs, (branch, each, into) => {
        singleTokenAttention(graph, branch, ofGroup, each, into);
      }),
      else_branch: branchOf(`layers.${layer}.chunk`, shape, inputs, (branch, each, into) => {
        chunkAttention(branch, ofGroup, each, into);
      }),
    },
  });
  return output;
}

/** A branch that joins the attention of all groups. `add` writes one group's into the value it is given. */
function branchOf(
  name: string,
  { heads, headDim }: ModelShape,
  inputs: readonly GroupInputs[],
  add: (branch: GraphBuilder, inputs: GroupInputs, output: Value) => void,
): GraphBuilder {
  const branch = new GraphBuilder(name);
  const output = `${name}.attention`;
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) add(branch, only, output);
  else {
    const parts = inputs.map((each, group) => {
      const part = `${name}.${group}.attention`;
      add(branch, each, part);
      return part;
    });
    branch.operator('Concat', parts, { axis: -1 }, output);
  }
  branch.output(output, 'float32', [1, 'tokens', heads * headDim]);
  return branch;
}

function chunkAttention(branch: GraphBuilder, shape: ModelShape, inputs: GroupInputs, output: Value): void {
  const { group } = inputs;
  const name = output.slice(0, -'.attention'.length);
  branch.contributedNode(
    'GroupQueryAttention',
    [
      inputs.query,
      inputs.key,
      inputs.value,
      inputs.pastKey,
      inputs.pastValue,
      attentionInputs.lastUnit(group),
      attentionInputs.totalLength(group),
    ],
    [output, `${name}.presentKey`, `${name}.presentValue`],
    {
      num_heads: shape.heads,
      kv_num_heads: shape.kvHeads,
      do_rotary: 0,
      ...(group.window === undefined ? {} : { local_window_size: group.window }),
    },
  );
}

function singleTokenAttention(
  graph: GraphBuilder,
  branch: GraphBuilder,
  { heads, kvHeads, headDim }: ModelShape,
  { query, key, value, pastKey, pastValue, group }: GroupInputs,
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
    attentionInputs.pastMask(group),
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
