import type { Checkpoint, LayerLinear, WeightMatrix } from '../checkpoint.js';
import { normWidth, type LayerNorm, type ModelShape } from '../shape.js';
import { readArchitecture, unsupportedModel, type Architecture } from './architecture.js';
import type { WeightEncoding } from '../weight-encoding.js';
import type { GgufFile, GgufTensor } from './gguf-file.js';

const linearNames: readonly LayerLinear[] = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'];

/** Rows of a stored tensor; a fused projection holds several linear layers one below the other. */
interface StoredRows {
  readonly tensor: string;
  readonly storedRows: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
  readonly bias: boolean;
  /** Rows of a head whose rotated pairs lie side by side; absent where rows lie as they are used. */
  readonly pairedHeadRows?: number;
}

/**
 * The weights of a GGUF file. Every tensor the forward pass needs is checked for presence and shape now, and the file
 * must have no others; numbers are read when asked for.
 * @param shape as {@link readGgufShape} read it from the file
 * @throws LocretError model-corrupt naming the tensor and what was expected, model-unsupported for a tensor that the
 *   architecture does not have
 */
export function openGgufCheckpoint(file: GgufFile, shape: ModelShape): Checkpoint {
  return new GgufCheckpoint(file, shape, readArchitecture(file.metadata));
}

/** Where each linear layer of a decoder layer is stored. */
function storedLinears(
  shape: ModelShape,
  { fused, pairedRows }: Architecture,
  layer: number,
): Record<LayerLinear, StoredRows> {
  const { hidden, feedForward, headDim } = shape;
  const queries = shape.heads * headDim;
  const keys = shape.kvHeads * headDim;
  const whole = (name: string, rows: number, columns: number, bias: boolean): StoredRows => ({
    tensor: `blk.${layer}.${name}`,
    storedRows: rows,
    firstRow: 0,
    rows,
    columns,
    bias,
  });
  const part = (name: string, storedRows: number, firstRow: number, rows: number): StoredRows => ({
    ...whole(name, rows, hidden, false),
    storedRows,
    firstRow,
  });
  const output = {
    attentionOutput: whole('attn_output', hidden, queries, shape.outputBias),
    down: whole('ffn_down', hidden, feedForward, shape.feedForwardBias),
  };
  if (fused) {
    const attentionRows = queries + 2 * keys;
    return {
      ...output,
      query: part('attn_qkv', attentionRows, 0, queries),
      key: part('attn_qkv', attentionRows, queries, keys),
      value: part('attn_qkv', attentionRows, queries + keys, keys),
      gate: part('ffn_up', 2 * feedForward, 0, feedForward),
      up: part('ffn_up', 2 * feedForward, feedForward, feedForward),
    };
  }
  const paired = pairedRows ? { pairedHeadRows: headDim } : {};
  return {
    ...output,
    query: { ...whole('attn_q', queries, hidden, shape.queryKeyValueBias), ...paired },
    key: { ...whole('attn_k', keys, hidden, shape.queryKeyValueBias), ...paired },
    value: whole('attn_v', keys, hidden, shape.queryKeyValueBias),
    gate: whole('ffn_gate', feedForward, hidden, shape.feedForwardBias),
    up: whole('ffn_up', feedForward, hidden, shape.feedForwardBias),
  };
}

function normTensor(layer: number, which: LayerNorm): string {
  switch (which) {
    case 'beforeAttention':
      return `blk.${layer}.attn_norm.weight`;
    case 'beforeFeedForward':
      return `blk.${layer}.ffn_norm.weight`;
    case 'queryHead':
      return `blk.${layer}.attn_q_norm.weight`;
    case 'keyHead':
      return `blk.${layer}.attn_k_norm.weight`;
  }
}

/** Tensors of the rotary embedding, which are part of the shape. */
const ropeTensors = ['rope_freqs.weight', 'rope_factors_short.weight', 'rope_factors_long.weight'];

class GgufCheckpoint implements Checkpoint {
  readonly place: string;
  readonly fingerprint: string;
  readonly storedBytes: number;
  readonly encoding: WeightEncoding;
  readonly embedding: WeightMatrix;
  readonly languageHead: WeightMatrix;
  /** Every tensor of the forward pass, by name. */
  private readonly located = new Map<string, GgufTensor>();
  private readonly layers: readonly Record<LayerLinear, StoredRows>[];

  constructor(
    private readonly file: GgufFile,
    readonly shape: ModelShape,
    architecture: Architecture,
  ) {
    this.place = file.path;
    this.fingerprint = file.fingerprint;
    const { hidden, vocabulary } = shape;
    const table = { storedRows: vocabulary, firstRow: 0, rows: vocabulary, columns: hidden, bias: false };
    this.locate('token_embd.weight', [vocabulary, hidden]);
    this.locate('output_norm.weight', [hidden]);
    if (!shape.tiedEmbeddings) this.locate('output.weight', [vocabulary, hidden]);
    this.layers = shape.layers.map(({ norms }, layer) => {
      const linears = storedLinears(shape, architecture, layer);
      for (const which of linearNames) {
        const { tensor, storedRows, columns, bias } = linears[which];
        this.locate(`${tensor}.weight`, [storedRows, columns]);
        if (bias) this.locate(`${tensor}.bias`, [storedRows]);
      }
      for (const norm of norms) this.locate(normTensor(layer, norm), [normWidth(shape, norm)]);
      return linears;
    });
    this.refuseOthers();
    this.embedding = this.matrix({ ...table, tensor: 'token_embd' });
    this.languageHead = shape.tiedEmbeddings ? this.embedding : this.matrix({ ...table, tensor: 'output' });
    const bytesBy = new Map<WeightEncoding, number>();
    for (const { encoding, begin, end } of this.located.values()) {
      bytesBy.set(encoding, (bytesBy.get(encoding) ?? 0) + end - begin);
    }
    const sizes = [...bytesBy].sort(([, a], [, b]) => b - a);
    this.storedBytes = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    this.encoding = sizes[0]?.[0] ?? this.embedding.encoding;
  }

  finalNorm(): Float32Array {
    return this.vector('output_norm.weight');
  }

  linear(layer: number, which: LayerLinear): WeightMatrix {
    return this.matrix(this.layerLinears(layer)[which]);
  }

  bias(layer: number, which: LayerLinear): Float32Array | undefined {
    const { tensor, bias, pairedHeadRows } = this.layerLinears(layer)[which];
    if (!bias) return undefined;
    const stored = this.vector(`${tensor}.bias`);
    return pairedHeadRows === undefined ? stored : stored.map((_, row) => stored[storedRow(row, pairedHeadRows)] ?? 0);
  }

  norm(layer: number, which: LayerNorm): Float32Array {
    return this.vector(normTensor(layer, which));
  }

  close(): void {
    this.file.close();
  }

  private locate(tensor: string, shape: readonly number[]): void {
    this.located.set(tensor, this.file.expect(tensor, shape));
  }

  private refuseOthers(): void {
    for (const name of this.file.tensors.keys()) {
      if (!this.located.has(name) && !ropeTensors.includes(name)) {
        throw unsupportedModel(this.place, `the tensor ${JSON.stringify(name)} is not known of these models`);
      }
    }
  }

  private layerLinears(layer: number): Record<LayerLinear, StoredRows> {
    const linears = this.layers[layer];
    if (linears === undefined) throw new RangeError(`layer ${layer} of ${this.shape.layers.length}`);
    return linears;
  }

  private find(tensor: string): GgufTensor {
    const located = this.located.get(tensor);
    if (located === undefined) throw new RangeError(`a ${this.shape.family} model has no tensor "${tensor}"`);
    return located;
  }

  private vector(name: string): Float32Array {
    const tensor = this.find(name);
    return this.file.readFloats(tensor, 0, tensor.dimensions[0] ?? 0);
  }

  private matrix(stored: StoredRows): WeightMatrix {
    const { file } = this;
    const { firstRow, rows, columns, pairedHeadRows } = stored;
    const tensor = this.find(`${stored.tensor}.weight`);
    const { encoding, name, path } = tensor;
    const rowBytes = (columns / encoding.blockLength) * encoding.blockBytes;
    const described = { origin: `${path}: ${name}`, rows, columns, encoding };
    if (pairedHeadRows === undefined) {
      return {
        ...described,
        read: () => file.readFloats(tensor, firstRow * columns, rows * columns),
        readRows: (first, count) => file.readBytes(tensor, (firstRow + first) * rowBytes, count * rowBytes),
      };
    }
    return {
      ...described,
      read: () => {
        const numbers = new Float32Array(rows * columns);
        for (let head = 0; head < rows; head += pairedHeadRows) {
          const stored = file.readFloats(tensor, head * columns, pairedHeadRows * columns);
          copyRows(stored, numbers, columns, head, pairedHeadRows, 0, rows);
        }
        return numbers;
      },
      readRows: (first, count) => {
        const bytes = new Uint8Array(count * rowBytes);
        const end = first + count;
        for (let head = first - (first % pairedHeadRows); head < end; head += pairedHeadRows) {
          const stored = file.readBytes(tensor, head * rowBytes, pairedHeadRows * rowBytes);
          copyRows(stored, bytes, rowBytes, head, pairedHeadRows, first, end);
        }
        return bytes;
      },
    };
  }
}

/** Where a row lies in a file whose heads' rows are in rotated pairs: row i and row i + d/2 of a head as 2i and 2i + 1. */
function storedRow(row: number, headRows: number): number {
  const within = row % headRows;
  const half = headRows / 2;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}

/**
 * Copies those rows of a head that lie in `first..end` to their place in the target, which begins with row `first`.
 * @param stored the head's rows as they lie in the file
 * @param head the head's first row
 */
function copyRows<Numbers extends Float32Array | Uint8Array>(
  stored: Numbers,
  target: Numbers,
  width: number,
  head: number,
  headRows: number,
  first: number,
  end: number,
): void {
  for (let row = Math.max(head, first); row < Math.min(end, head + headRows); row++) {
    const from = (storedRow(row, headRows) - head) * width;
    target.set(stored.subarray(from, from + width), (row - first) * width);
  }
}
