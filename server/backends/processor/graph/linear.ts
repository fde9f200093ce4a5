import type { ProcessorPrecision } from '../../../contract/words.js';
import type { ElementType, GraphBuilder, Value } from './graph.js';
import type { PackedWeights } from './packed-weights.js';

/** Elements that share a scale in block-wise quantization. */
export const quantizationBlock = 32;
/** onnxruntime multiplies int8 with int8 (accuracy level 4) instead of dequantizing first. */
const integerAccumulation = 4;
/** Activations are quantized to 1..255 around this. */
const activationZero = 128;
/**
 * Largest weight in per-channel int8. AVX2 adds pairs of products in 16 bits: 2 * 255 * 64 still fits, 2 * 255 * 127
 * would saturate. Seven bits per channel are right on every processor.
 */
const largestChannelWeight = 64;

/** A matrix `[rows, columns]` (out, in) that is read when it is packed. */
export interface LinearWeights {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly read: () => Float32Array;
  readonly bias?: Float32Array | undefined;
}

/** Rows that are turned into columns together: what is read of them stays in the processor's cache meanwhile. */
const turnedTogether = 32;

/** Columns first: `[columns, rows]`, as MatMul wants its second operand. */
function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length);
  for (let row0 = 0; row0 < rows; row0 += turnedTogether) {
    const rowEnd = Math.min(rows, row0 + turnedTogether);
    for (let column = 0; column < columns; column++) {
      for (let row = row0; row < rowEnd; row++) turned[column * rows + row] = matrix[row * columns + column] ?? 0;
    }
  }
  return turned;
}

/** Block-wise quantized rows: unsigned codes around the middle of their range, and one scale per block. */
export interface QuantizedBlocks {
  /** `[rows, blocks, quantizationBlock * bits / 8]`; two codes to a byte with 4 bits, the lower one first. */
  readonly codes: Uint8Array;
  /** `[rows, blocks]` */
  readonly scales: Float32Array;
}

/** Number of blocks of a row; the last one is filled up with zeros. */
export function blockCount(columns: number): number {
  return Math.ceil(columns / quantizationBlock);
}

/** The nearest whole number of a value between -128 and 128, the larger of two: `Math.round`, which takes five times as long. */
function nearest(value: number): number {
  return ((value + 128.5) | 0) - 128;
}

/** Quantizes each block of 32 with its own scale: value = (code - 2^(bits-1)) * scale. */
export function quantizeBlocks(matrix: Float32Array, rows: number, columns: number, bits: 4 | 8): QuantizedBlocks {
  const blocks = blockCount(columns);
  const middle = 1 << (bits - 1);
  const codes = new Uint8Array((rows * blocks * quantizationBlock * bits) / 8).fill(bits === 8 ? 0x80 : 0x88);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * quantizationBlock;
      const count = Math.min(quantizationBlock, columns - block * quantizationBlock);
      let [extreme, largest] = [0, 0];
      for (let i = 0; i < count; i++) {
        const value = matrix[begin + i] ?? 0;
        const size = Math.abs(value);
        if (size <= largest) continue;
        largest = size;
        extreme = value;
      }
      // With 4 bits the range is -8..7: the largest value takes the longer side.
      const scale = bits === 4 ? extreme / -8 : largest / 127;
      scales[row * blocks + block] = scale;
      if (scale === 0) continue;
      const first = (row * blocks + block) * quantizationBlock;
      for (let i = 0; i < count; i++) {
        const code = Math.max(0, Math.min(2 * middle - 1, nearest((matrix[begin + i] ?? 0) / scale) + middle));
        if (bits === 8) {
          codes[first + i] = code;
        } else {
          const at = (first + i) >> 1;
          const byte = codes[at] ?? 0;
          codes[at] = (first + i) & 1 ? (byte & 0x0f) | (code << 4) : (byte & 0xf0) | code;
        }
      }
    }
  }
  return { codes, scales };
}

interface QuantizedChannels {
  /** `[columns, rows]` */
  readonly codes: Int8Array;
  /** `[rows]` */
  readonly scales: Float32Array;
}

function quantizeChannels(matrix: Float32Array, rows: number, columns: number): QuantizedChannels {
  const codes = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let column = 0; column < columns; column++)
      largest = Math.max(largest, Math.abs(matrix[row * columns + column] ?? 0));
    scales[row] = largest === 0 ? 1 : largest / largestChannelWeight;
  }
  for (let row0 = 0; row0 < rows; row0 += turnedTogether) {
    const rowEnd = Math.min(rows, row0 + turnedTogether);
    for (let column = 0; column < columns; column++) {
      for (let row = row0; row < rowEnd; row++)
        codes[column * rows + row] = nearest((matrix[row * columns + column] ?? 0) / (scales[row] ?? 1));
    }
  }
  return { codes, scales };
}

/** Activations as int8 with one scale per token. */
interface QuantizedActivations {
  readonly codes: Value;
  readonly scales: Value;
}

/** Adds linear layers `[1, tokens, columns] -> [1, tokens, rows]` to a graph, in one precision. */
export class LinearLayers {
  private readonly quantizedActivations = new Map<Value, QuantizedActivations>();

  constructor(
    private readonly graph: GraphBuilder,
    private readonly precision: ProcessorPrecision,
  ) {}

  /** x · Wᵀ + bias */
  add(x: Value, weights: LinearWeights, file: PackedWeights, precision: ProcessorPrecision = this.precision): Value {
    switch (precision) {
      case 'float32':
        return this.floating(x, weights, file);
      case 'int8':
        return this.channelwise(x, weights, file);
      case 'int4':
        return this.blockwise(x, weights, file, 4);
    }
  }

  /** x · Wᵀ with block-wise weights: exact enough for the language head, and quick for a single token. */
  blockwise(x: Value, weights: LinearWeights, file: PackedWeights, bits: 4 | 8): Value {
    const { name, rows, columns } = weights;
    const { graph } = this;
    const blocks = blockCount(columns);
    const bytesPerBlock = (quantizationBlock * bits) / 8;
    const [codes, scales] = this.weightPair(
      file,
      [`${name}.codes${bits}`, 'uint8', [rows, blocks, bytesPerBlock]],
      [`${name}.scales${bits}`, 'float32', [rows, blocks]],
      () => {
        const quantized = quantizeBlocks(weights.read(), rows, columns, bits);
        return [quantized.codes, quantized.scales];
      },
    );
    const bias = this.bias(weights, file);
    const inputs = bias === undefined ? [x, codes, scales] : [x, codes, scales, '', '', bias];
    return graph.contributed('MatMulNBits', inputs, {
      K: columns,
      N: rows,
      bits,
      block_size: quantizationBlock,
      accuracy_level: integerAccumulation,
    });
  }

  private floating(x: Value, weights: LinearWeights, file: PackedWeights): Value {
    const { name, rows, columns } = weights;
    const place = file.place({ name, type: 'float32', shape: [columns, rows] }, () =>
      transpose(weights.read(), rows, columns),
    );
    const matrix = this.graph.weight(name, 'float32', [columns, rows], place);
    return this.withBias(this.graph.operator('MatMul', [x, matrix]), weights, file);
  }

  /** Weights with one scale per output channel, activations with one per token; both are multiplied as integers. */
  private channelwise(x: Value, weights: LinearWeights, file: PackedWeights): Value {
    const { name, rows, columns } = weights;
    const { graph } = this;
    const [codes, scales] = this.weightPair(
      file,
      [`${name}.channels`, 'int8', [columns, rows]],
      [`${name}.channelScales`, 'float32', [rows]],
      () => {
        const quantized = quantizeChannels(weights.read(), rows, columns);
        return [quantized.codes, quantized.scales];
      },
    );
    const activations = this.quantizeActivations(x);
    const product = graph.contributed('MatMulIntegerToFloat', [
      activations.codes,
      codes,
      graph.float('one', 1),
      scales,
      graph.constant('activationZero', 'uint8', [], Uint8Array.of(activationZero)),
    ]);
    const unsqueezed = graph.operator('Unsqueeze', [product, graph.integers('axis0', [0])]);
    return this.withBias(graph.operator('Mul', [unsqueezed, activations.scales]), weights, file);
  }

  /** Quantizes activations once for all layers that read them. */
  private quantizeActivations(x: Value): QuantizedActivations {
    const known = this.quantizedActivations.get(x);
    if (known !== undefined) return known;
    const { graph } = this;
    const largest = graph.operator('ReduceMax', [graph.operator('Abs', [x]), graph.integers('lastAxis', [-1])], {
      keepdims: 1,
    });
    const scaled = graph.operator('Mul', [largest, graph.float('reciprocalOf127', 1 / 127)]);
    // A token of zeros must not divide by zero.
    const scales = graph.operator('Add', [scaled, graph.float('tiny', 1e-12)]);
    const perToken = graph.operator('Squeeze', [scales, graph.integers('axes02', [0, 2])]);
    const zeros = graph.operator('Expand', [
      graph.constant('activationZeroList', 'uint8', [1], Uint8Array.of(activationZero)),
      graph.operator('Shape', [perToken]),
    ]);
    const rows = graph.operator('Squeeze', [x, graph.integers('axis0', [0])]);
    const codes = graph.operator('QuantizeLinear', [rows, perToken, zeros], { axis: 0 });
    const result = { codes, scales };
    this.quantizedActivations.set(x, result);
    return result;
  }

  /** Codes and scales of one matrix, computed together. */
  private weightPair(
    file: PackedWeights,
    codes: readonly [name: string, type: ElementType, shape: readonly number[]],
    scales: readonly [name: string, type: ElementType, shape: readonly number[]],
    pack: () => readonly ArrayBufferView[],
  ): readonly [codes: Value, scales: Value] {
    const tensors = [codes, scales].map(([name, type, shape]) => ({ name, type, shape }));
    for (const [index, place] of file.placeTogether(tensors, pack).entries()) {
      const tensor = tensors[index];
      if (tensor !== undefined) this.graph.weight(tensor.name, tensor.type, tensor.shape, place);
    }
    return [codes[0], scales[0]];
  }

  private bias({ name, rows, bias }: LinearWeights, file: PackedWeights): Value | undefined {
    if (bias === undefined) return undefined;
    const place = file.place({ name: `${name}.bias`, type: 'float32', shape: [rows] }, () => bias);
    return this.graph.weight(`${name}.bias`, 'float32', [rows], place);
  }

  private withBias(y: Value, weights: LinearWeights, file: PackedWeights): Value {
    const bias = this.bias(weights, file);
    return bias === undefined ? y : this.graph.operator('Add', [y, bias]);
  }
}
