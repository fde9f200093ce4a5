import { headInputWidth } from '../../model/checkpoint.js';
import type { Checkpoint, LayerLinear, RetainingHeads, WeightMatrix } from '../../model/checkpoint.js';
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

/** LOCRET_LARGEST_PIECE: at most so much of a tensor is in this process's memory at once. */
const largestPiece = 32 * 2 ** 20;

const formats = { F32: numberFormats.float32, F16: numberFormats.float16, BF16: numberFormats.bfloat16 } as const;

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
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
    for (const { rows, columns, storedType, readRows } of parts) {
      const rowBytes = columns * (storedType === 'F32' ? 4 : 2);
      const most = Math.max(1, Math.floor(largestPiece / rowBytes));
      for (let first = 0; first < rows; first += most) {
        const count = Math.min(most, rows - first);
        const values = readRows(first, count);
        this.send(tensor, { layer, firstRow: row, rows: count, columns, format: formats[storedType], values });
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
  for (let layer = 0; layer < shape.layers; layer++) {
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
    stream.vectors('normBeforeAttention', layer, [checkpoint.norm(layer, 'beforeAttention')]);
    stream.vectors('normBeforeFeedForward', layer, [checkpoint.norm(layer, 'beforeFeedForward')]);
    if (shape.queryKeyNorm) {
      stream.vectors('queryNorm', layer, [checkpoint.norm(layer, 'queryHead')]);
      stream.vectors('keyNorm', layer, [checkpoint.norm(layer, 'keyHead')]);
    }
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
