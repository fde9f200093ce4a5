import type { HeadInput, ProcessorPrecision } from '../../../contract/words.js';
import {
  headInputWidth,
  type Checkpoint,
  type LayerLinear,
  type RetainingHeads,
  type WeightMatrix,
} from '../../../model/checkpoint.js';
import { layerOf, normWidth, ropesOf, type LayerNorm } from '../../../model/shape.js';
import { addAttention, declareAttentionInputs, steeringOf } from './attention.js';
import { GraphBuilder, type Value } from './graph.js';
import { blockCount, LinearLayers, quantizationBlock, quantizeBlocks } from './linear.js';
import type { PackedWeights } from './packed-weights.js';

/** The graph's inputs, besides those of attention. */
export const decoderInputs = {
  /** int64 `[1, tokens]` */
  tokens: 'tokens',
  /** int64 `[1, tokens]` */
  slots: 'slots',
  /** int64 `[rows]`: tokens of the pass whose logits are wanted. */
  logitRows: 'logit_rows',
  /** float32 `[slots, rotaryDim / 2]`, for each of the model's rotations (`ropesOf`) */
  ropeCos: (rope: number): Value => `rope_cos.${rope}`,
  ropeSin: (rope: number): Value => `rope_sin.${rope}`,
} as const;

/** The graph's outputs. */
export const decoderOutputs = {
  /** float32 `[1, rows, vocabulary]` */
  logits: 'logits',
  /** float32 `[1, tokens, kvHeads * headDim]`, rotated to their slots. */
  newKey: (layer: number): Value => `new_key.${layer}`,
  newValue: (layer: number): Value => `new_value.${layer}`,
  /** float32 `[1, tokens, heads * headDim]`, rotated to their slots. */
  query: (layer: number): Value => `query.${layer}`,
  /** float32 `[1, tokens, kvHeads]`; only with retaining heads. */
  score: (layer: number): Value => `score.${layer}`,
  /** float32 `[1, tokens, headInputWidth]`: what a retaining head would read; only where asked for. */
  headInput: (layer: number, input: HeadInput): Value => `head_input.${input}.${layer}`,
} as const;

export interface DecoderParts {
  readonly checkpoint: Checkpoint;
  readonly heads: RetainingHeads | undefined;
  readonly precision: ProcessorPrecision;
  /** The backbone's weights, and the retaining heads': one backbone file serves with and without heads. */
  readonly weights: PackedWeights;
  readonly headWeights: PackedWeights;
  /** Inputs of retaining heads to be given out, so that heads can be trained on them. */
  readonly headInputs?: readonly HeadInput[];
  /** Whether layers may hold different numbers of cache units. */
  readonly layersDiffer?: boolean;
}

/** Rows of several matrices under each other. */
function stacked(matrices: readonly WeightMatrix[]): { rows: number; read: () => Float32Array } {
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const read = (): Float32Array => {
    const all = new Float32Array(rows * (matrices[0]?.columns ?? 0));
    let offset = 0;
    for (const matrix of matrices) {
      all.set(matrix.read(), offset);
      offset += matrix.rows * matrix.columns;
    }
    return all;
  };
  return { rows, read };
}

/**
 * The decoder of the llama family and its kin as an ONNX graph over a cache that lives outside: RMSNorm, projections,
 * retaining heads on them, rotation by slot, attention over [cache, new], gated feed-forward, language head.
 */
class DecoderGraph {
  private readonly graph = new GraphBuilder('decoder');
  private readonly linear: LinearLayers;
  private readonly layersDiffer: boolean;

  constructor(private readonly parts: DecoderParts) {
    this.layersDiffer = parts.layersDiffer === true;
    this.linear = new LinearLayers(this.graph, parts.precision);
  }

  write(): Uint8Array {
    const { graph } = this;
    const { shape } = this.parts.checkpoint;
    graph.input(decoderInputs.tokens, 'int64', [1, 'tokens']);
    graph.input(decoderInputs.slots, 'int64', [1, 'tokens']);
    graph.input(decoderInputs.logitRows, 'int64', ['rows']);
    for (const [index, { rotaryDim }] of ropesOf(shape).entries()) {
      graph.input(decoderInputs.ropeCos(index), 'float32', ['slots', rotaryDim / 2]);
      graph.input(decoderInputs.ropeSin(index), 'float32', ['slots', rotaryDim / 2]);
    }
    declareAttentionInputs(graph, shape, this.layersDiffer);

    let residual = this.embedding();
    let addition: Value | undefined;
    for (let layer = 0; layer < shape.layers.length; layer++) {
      const before = this.normalizedSum(residual, addition, this.norm(layer, 'beforeAttention'));
      const attended = this.attention(layer, before.normalized);
      const between = this.normalizedSum(before.sum, attended, this.norm(layer, 'beforeFeedForward'));
      addition = this.feedForward(layer, between.normalized);
      residual = between.sum;
    }
    const final = this.parts.weights.place({ name: 'finalNorm', type: 'float32', shape: [shape.hidden] }, () =>
      this.parts.checkpoint.finalNorm(),
    );
    const scale = graph.weight('finalNorm', 'float32', [shape.hidden], final);
    this.languageHead(this.normalizedSum(residual, addition, scale).normalized);
    return graph.writeModel();
  }

  /** RMSNorm of residual + addition, and that sum. */
  private normalizedSum(residual: Value, addition: Value | undefined, scale: Value): { normalized: Value; sum: Value } {
    const { graph } = this;
    const epsilon = { float: this.parts.checkpoint.shape.normEpsilon };
    if (addition === undefined) {
      const attributes = { axis: -1, epsilon, stash_type: 1 };
      return {
        normalized: graph.operator('SimplifiedLayerNormalization', [residual, scale], attributes),
        sum: residual,
      };
    }
    const normalized = `${addition}/normalized`;
    const sum = `${addition}/sum`;
    const outputs = [normalized, '', '', sum];
    graph.contributedNode('SkipSimplifiedLayerNormalization', [residual, addition, scale], outputs, { epsilon });
    return { normalized, sum };
  }

  private norm(layer: number, which: LayerNorm): Value {
    const { checkpoint, weights } = this.parts;
    const size = normWidth(checkpoint.shape, which);
    const name = `layers.${layer}.norm.${which}`;
    const place = weights.place({ name, type: 'float32', shape: [size] }, () => checkpoint.norm(layer, which));
    return this.graph.weight(name, 'float32', [size], place);
  }

  private project(layer: number, which: LayerLinear, x: Value): Value {
    const { checkpoint, weights } = this.parts;
    const matrix = checkpoint.linear(layer, which);
    return this.linear.add(
      x,
      {
        name: `layers.${layer}.${which}`,
        rows: matrix.rows,
        columns: matrix.columns,
        read: () => matrix.read(),
        bias: checkpoint.bias(layer, which),
      },
      weights,
    );
  }

  /** Query, key and value projections side by side: one product, and the retaining head's input as it is. */
  private queryKeyValue(layer: number, x: Value): Value {
    const { checkpoint, weights } = this.parts;
    const which = ['query', 'key', 'value'] as const;
    const { rows, read } = stacked(which.map((name) => checkpoint.linear(layer, name)));
    const biases = which.flatMap((name) => checkpoint.bias(layer, name) ?? []);
    const bias = biases.length === 0 ? undefined : Float32Array.from(biases.flatMap((part) => [...part]));
    const columns = checkpoint.shape.hidden;
    return this.linear.add(x, { name: `layers.${layer}.queryKeyValue`, rows, columns, read, bias }, weights);
  }

  private attention(layer: number, x: Value): Value {
    const { graph } = this;
    const { shape } = this.parts.checkpoint;
    const { heads, kvHeads, headDim } = shape;
    const projected = this.queryKeyValue(layer, x);
    const headInputs = { qkv: projected, hidden: x };
    this.retainingHead(layer, headInputs);
    for (const input of this.parts.headInputs ?? []) {
      const output = graph.operator('Identity', [headInputs[input]], {}, decoderOutputs.headInput(layer, input));
      graph.output(output, 'float32', [1, 'tokens', headInputWidth(shape, input)]);
    }

    const sizes = graph.integers('queryKeyValueSizes', [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
    const parts = ['query', 'key', 'value'].map((part) => `layers.${layer}.split.${part}`);
    graph.node('Split', [projected, sizes], parts, { attributes: { axis: -1 } });
    const [query = '', key = '', value = ''] = parts;
    const tokens = {
      query: this.rotate(layer, this.headNorm(layer, 'queryHead', query, heads), heads, decoderOutputs.query(layer)),
      key: this.rotate(layer, this.headNorm(layer, 'keyHead', key, kvHeads), kvHeads, decoderOutputs.newKey(layer)),
      value: graph.operator('Identity', [value], {}, decoderOutputs.newValue(layer)),
    };
    graph.output(tokens.query, 'float32', [1, 'tokens', heads * headDim]);
    graph.output(tokens.key, 'float32', [1, 'tokens', kvHeads * headDim]);
    graph.output(tokens.value, 'float32', [1, 'tokens', kvHeads * headDim]);
    const attended = addAttention(graph, shape, layer, steeringOf(layer, this.layersDiffer), tokens);
    return this.project(layer, 'attentionOutput', attended);
  }

  /** Causal importance scores: fc2(SiLU(fc1(input))) (arXiv 2410.01805, section 3.2). */
  private retainingHead(layer: number, inputs: Readonly<Record<HeadInput, Value>>): void {
    const { checkpoint, heads, headWeights } = this.parts;
    if (heads === undefined) return;
    const { kvHeads } = checkpoint.shape;
    const first = {
      name: `layers.${layer}.retainingHead.first`,
      rows: heads.width,
      columns: headInputWidth(checkpoint.shape, heads.input),
      read: () => heads.first(layer),
    };
    const second = {
      name: `layers.${layer}.retainingHead.second`,
      rows: kvHeads,
      columns: heads.width,
      read: () => heads.second(layer),
    };
    const activated = this.silu(this.linear.add(inputs[heads.input], first, headWeights));
    // The few rows of the second layer cost nothing; quantizing them would blur the order of the scores.
    const scores = this.linear.add(activated, second, headWeights, 'float32');
    const output = this.graph.operator('Identity', [scores], {}, decoderOutputs.score(layer));
    this.graph.output(output, 'float32', [1, 'tokens', kvHeads]);
  }

  /** RMSNorm over each head's dimensions, where the layer has it (qwen3). */
  private headNorm(layer: number, which: LayerNorm, x: Value, heads: number): Value {
    const { graph } = this;
    const { shape } = this.parts.checkpoint;
    const { headDim, normEpsilon } = shape;
    if (!layerOf(shape, layer).norms.includes(which)) return x;
    const split = graph.operator('Reshape', [x, graph.integers(`headShape${heads}`, [1, -1, heads, headDim])]);
    const normalized = graph.operator('SimplifiedLayerNormalization', [split, this.norm(layer, which)], {
      axis: -1,
      epsilon: { float: normEpsilon },
      stash_type: 1,
    });
    return graph.operator('Reshape', [normalized, graph.integers(`flatShape${heads}`, [1, -1, heads * headDim])]);
  }

  private rotate(layer: number, x: Value, heads: number, output: Value): Value {
    const { shape } = this.parts.checkpoint;
    const { rope } = layerOf(shape, layer);
    const index = ropesOf(shape).indexOf(rope);
    const partial = rope.rotaryDim < shape.headDim ? { num_heads: heads, rotary_embedding_dim: rope.rotaryDim } : {};
    return this.graph.contributed(
      'RotaryEmbedding',
      [x, decoderInputs.slots, decoderInputs.ropeCos(index), decoderInputs.ropeSin(index)],
      { interleaved: 0, ...partial },
      output,
    );
  }

  private silu(x: Value): Value {
    return this.graph.operator('Mul', [x, this.graph.operator('Sigmoid', [x])]);
  }

  private feedForward(layer: number, x: Value): Value {
    const gate = this.silu(this.project(layer, 'gate', x));
    return this.project(layer, 'down', this.graph.operator('Mul', [gate, this.project(layer, 'up', x)]));
  }

  /** Bits of the embedding and the language head; the head's rows are read for every token, so int8 stays block-wise. */
  private get vocabularyBits(): 4 | 8 | undefined {
    const { checkpoint, precision } = this.parts;
    if (precision === 'float32' || checkpoint.shape.hidden % quantizationBlock !== 0) return undefined;
    return precision === 'int4' ? 4 : 8;
  }

  private embedding(): Value {
    const { graph } = this;
    const { checkpoint, weights } = this.parts;
    const { vocabulary, hidden } = checkpoint.shape;
    const bits = this.vocabularyBits;
    if (bits === undefined) {
      const place = weights.place({ name: 'embedding', type: 'float32', shape: [vocabulary, hidden] }, () =>
        checkpoint.embedding.read(),
      );
      const table = graph.weight('embedding', 'float32', [vocabulary, hidden], place);
      return graph.operator('Gather', [table, decoderInputs.tokens], { axis: 0 });
    }
    const blocks = blockCount(hidden);
    const codesShape = [vocabulary, (hidden * bits) / 8];
    const [codesPlace, scalesPlace] = weights.placeTogether(
      [
        { name: `embedding.codes${bits}`, type: 'uint8', shape: codesShape },
        { name: `embedding.scales${bits}`, type: 'float32', shape: [vocabulary, blocks] },
      ],
      () => {
        const { codes, scales } = quantizeBlocks(checkpoint.embedding.read(), vocabulary, hidden, bits);
        return [codes, scales];
      },
    );
    if (codesPlace === undefined || scalesPlace === undefined) throw new Error('the embedding got no place');
    // The language head sees the same bytes as [vocabulary, blocks, bytes]; this table has a name of its own.
    const codes = graph.weight('embedding.table', 'uint8', codesShape, codesPlace);
    const scales = graph.weight('embedding.tableScales', 'float32', [vocabulary, blocks], scalesPlace);
    return graph.contributed('GatherBlockQuantized', [codes, decoderInputs.tokens, scales], {
      gather_axis: 0,
      quantize_axis: 1,
      block_size: quantizationBlock,
      bits,
    });
  }

  private languageHead(x: Value): void {
    const { graph } = this;
    const { checkpoint, weights } = this.parts;
    const { vocabulary, hidden, tiedEmbeddings } = checkpoint.shape;
    const rows = graph.operator('Gather', [x, decoderInputs.logitRows], { axis: 1 });
    const bits = this.vocabularyBits;
    const name = tiedEmbeddings ? 'embedding' : 'languageHead';
    const matrix = checkpoint.languageHead;
    let logits: Value;
    if (bits !== undefined) {
      const head = { name, rows: vocabulary, columns: hidden, read: () => matrix.read() };
      logits = this.linear.blockwise(rows, head, weights, bits);
    } else {
      const place = weights.place({ name, type: 'float32', shape: [vocabulary, hidden] }, () => matrix.read());
      const table = graph.weight(name, 'float32', [vocabulary, hidden], place);
      logits = graph.contributed('FusedMatMul', [rows, table], { transB: 1 });
    }
    graph.operator('Identity', [logits], {}, decoderOutputs.logits);
    graph.output(decoderOutputs.logits, 'float32', [1, 'rows', vocabulary]);
  }
}

/** Builds the graph and places its weights; nothing is read from the checkpoint but biases. */
export function buildDecoderGraph(parts: DecoderParts): Uint8Array {
  return new DecoderGraph(parts).write();
}
