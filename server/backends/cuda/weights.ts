import { headInputWidth } from '../../model/checkpoint.js';
import type { Checkpoint, LayerLinear, RetainingHeads, WeightMatrix } from '../../model/checkpoint.js';
import { layerOf, type LayerNorm } from '../../model/shape.js';
import { encodedBytes, floatEncodings, type WeightEncoding } from '../../model/weight-encoding.js';
import type { CudaBinding, CudaHandle, CudaPiece } from './binding.js';
import { numberFormats } from './config.js';

/** The values of `LocretTensor`. */
const tensors = {
  embedding: 0,
  languageHead: 1,
  finalNorm: 2,
  normBeforeAttention: 3,
  normBeforeFeedForward: 4,
  queryNorm: 5,
  keyNorm: 6,
  queryKeyValue: 7,
  queryKeyValueBias: 8,
  attentionOutput: 9,
  attentionOutputBias: 10,
  gateUp: 11,
  gateUpBias: 12,
  down: 13,
  downBias: 14,
  headFirst: 15,
  headSecond: 16,
} as const;

type Tensor = keyof typeof tensors;

const norms: Readonly<Record<LayerNorm, Tensor>> = {
  beforeAttention: 'normBeforeAttention',
  beforeFeedForward: 'normBeforeFeedForward',
  queryHead: 'queryNorm',
  keyHead: 'keyNorm',
};

/** LOCRET_LARGEST_PIECE: at most so much of a tensor is in this process's memory at once. */
const largestPiece = 32 * 2 ** 20;

/** The formats that the device takes as they are stored, by encoding; others are sent as float32. */
const formats: ReadonlyMap<WeightEncoding, number> = new Map([
  [floatEncodings.float32, numberFormats.float32],
  [floatEncodings.float16, numberFormats.float16],
  [floatEncodings.bfloat16, numberFormats.bfloat16],
]);

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function decoded(encoding: WeightEncoding, stored: Uint8Array, numbers: number): Float32Array {
  const values = new Float32Array(numbers);
  encoding.decode(stored, values);
  return values;
}

/** Streams a model's weights onto a device, piece by piece; there they are packed in the format that they run in. */
class WeightStream {
  constructor(
    private readonly binding: CudaBinding,
    private readonly engine: CudaHandle,
  ) {}

  /** Matrices that lie under each other in one tensor. */
  matrices(tensor: Tensor, layer: number, parts: readonly WeightMatrix[]): void {
    let row = 0;
    for (const { rows, columns, encoding, readRows } of parts) {
      const format = formats.get(encoding);
      const rowBytes = encodedBytes(format === undefined ? floatEncodings.float32 : encoding, columns);
      const most = Math.max(1, Math.floor(largestPiece / rowBytes));
      for (let first = 0; first < rows; first += most) {
        const count = Math.min(most, rows - first);
        const stored = readRows(first, count);
        const values = format === undefined ? bytesOf(decoded(encoding, stored, count * columns)) : stored;
        const piece = { layer, firstRow: row, rows: count, columns, format: format ?? numberFormats.float32, values };
        this.send(tensor, piece);
        row += count;
      }
    }
  }

  /** A matrix that is in memory, `[rows, columns]`. */
  floats(tensor: Tensor, layer: number, values: Float32Array, columns: number): void {
    const most = Math.max(1, Math.floor(largestPiece / (4 * columns)));
    const rows = values.length / columns;
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first);
      const part = bytesOf(values.subarray(first * columns, (first + count) * columns));
      this.send(tensor, { layer, firstRow: first, rows: count, columns, format: numberFormats.float32, values: part });
    }
  }

  /** Vectors one after the other; those that the family does not have are left out. */
  vectors(tensor: Tensor, layer: number, parts: readonly (Float32Array | undefined)[]): void {
    const present = parts.filter((part) => part !== undefined);
    const all = new Float32Array(present.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of present) {
      all.set(part, offset);
      offset += part.length;
    }
    if (all.length > 0) this.floats(tensor, layer, all, 1);
  }

  private send(tensor: Tensor, piece: Omit<CudaPiece, 'tensor'>): void {
    this.binding.load(this.engine, { tensor: tensors[tensor], ...piece });
  }
}

/**
 * Loads a model and its retaining heads into an open engine.
 * @throws what the binding throws, and LocretError model-corrupt when a file cannot be read
 */
export function loadWeights(
  binding: CudaBinding,
  engine: CudaHandle,
  checkpoint: Checkpoint,
  heads: RetainingHeads | undefined,
): void {
  const stream = new WeightStream(binding, engine);
  const { shape } = checkpoint;
  stream.matrices('embedding', 0, [checkpoint.embedding]);
  if (!shape.tiedEmbeddings) stream.matrices('languageHead', 0, [checkpoint.languageHead]);
  stream.vectors('finalNorm', 0, [checkpoint.finalNorm()]);
  for (let layer = 0; layer < shape.layers.length; layer++) {
    const matrices = (tensor: Tensor, which: readonly LayerLinear[]): void => {
      stream.matrices(
        tensor,
        layer,
        which.map((name) => checkpoint.linear(layer, name)),
      );
    };
    const biases = (tensor: Tensor, which: readonly LayerLinear[]): void => {
      stream.vectors(
        tensor,
        layer,
        which.map((name) => checkpoint.bias(layer, name)),
      );
    };
    for (const norm of layerOf(shape, layer).norms) stream.vectors(norms[norm], layer, [checkpoint.norm(layer, norm)]);
    matrices('queryKeyValue', ['query', 'key', 'value']);
    biases('queryKeyValueBias', ['query', 'key', 'value']);
    matrices('attentionOutput', ['attentionOutput']);
    biases('attentionOutputBias', ['attentionOutput']);
    matrices('gateUp', ['gate', 'up']);
    biases('gateUpBias', ['gate', 'up']);
    matrices('down', ['down']);
    biases('downBias', ['down']);
    if (heads === undefined) continue;
    stream.floats('headFirst', layer, heads.first(layer), headInputWidth(shape, heads.input));
    stream.floats('headSecond', layer, heads.second(layer), heads.width);
  }
  binding.ready(engine);
}
