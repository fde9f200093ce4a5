import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, showJson } from '../../contract/json.js';
import { LocretError } from '../../errors.js';
import type { Checkpoint, LayerLinear, WeightMatrix } from '../checkpoint.js';
import { damagedModel, JsonFields, readTextFile } from '../json-fields.js';
import { encodingOf, SafetensorsFile, weightTypes, type TensorEntry } from '../safetensors.js';
import { normWidth, type LayerNorm, type ModelShape } from '../shape.js';
import { floatEncodings, type WeightEncoding } from '../weight-encoding.js';
import { readModelShape } from './config.js';

const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';
const indexLimit = 64 * 1024 * 1024;
const mostShards = 4096;
const layerLinears: readonly LayerLinear[] = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'];

/** Rows of a stored tensor; a fused projection holds several linear layers one below the other. */
interface StoredRows {
  readonly tensor: string;
  /** Rows of the whole stored tensor. */
  readonly storedRows: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
  readonly bias: boolean;
}

/** A tensor and the file it lies in. */
interface Located {
  readonly file: SafetensorsFile;
  readonly entry: TensorEntry;
}

/**
 * Opens the weights of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
 * Every tensor the forward pass needs is checked for presence, shape and type now; its numbers are read when asked for.
 * @throws LocretError model-unsupported (see {@link readModelShape}), model-not-found without safetensors files,
 *   model-corrupt naming the file, the tensor and what was expected
 */
export function openCheckpoint(folder: string): Checkpoint {
  const shape = readModelShape(folder);
  const files = new Map<string, SafetensorsFile>();
  try {
    const locate = openWeightFiles(folder, files);
    return new SafetensorsCheckpoint(folder, shape, files, locate);
  } catch (error) {
    for (const file of files.values()) file.close();
    throw error;
  }
}

type Locate = (tensor: string, shape: readonly number[]) => Located;

/** Opens all weight files into `files`; the result finds and checks a tensor among them. */
function openWeightFiles(folder: string, files: Map<string, SafetensorsFile>): Locate {
  const single = join(folder, singleFile);
  if (existsSync(single)) {
    const file = SafetensorsFile.open(single, damagedModel);
    files.set(singleFile, file);
    return (tensor, shape) => ({ file, entry: file.expect(tensor, shape, weightTypes) });
  }
  const index = join(folder, indexFile);
  if (!existsSync(index)) {
    throw new LocretError(
      'model-not-found',
      `${folder} has neither ${singleFile} nor ${indexFile}.`,
      'Choose the folder of a model in the safetensors format, as published on the Hugging Face hub.',
    );
  }
  const shardOf = readIndex(index);
  for (const shard of new Set(shardOf.values())) {
    files.set(shard, SafetensorsFile.open(join(folder, shard), damagedModel));
  }
  return (tensor, shape) => {
    const file = files.get(shardOf.get(tensor) ?? '');
    if (file === undefined) {
      throw new LocretError(
        'model-corrupt',
        `${index} names no file for the tensor "${tensor}"; expected one of shape [${shape.join(', ')}].`,
        damagedModel.remedy,
      );
    }
    return { file, entry: file.expect(tensor, shape, weightTypes) };
  };
}

/** The `weight_map` of an index: tensor name → file name. A file name must stay inside of the folder. */
function readIndex(index: string): Map<string, string> {
  const map = JsonFields.read(index, indexLimit, damagedModel).value('weight_map');
  const wrong = (what: string): LocretError =>
    new LocretError('model-corrupt', `${index}: ${what}.`, damagedModel.remedy);
  if (!isJsonObject(map)) throw wrong(`"weight_map" must be an object, not ${showJson(map)}`);
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !/^[^/\\:\0]+\.safetensors$/.test(shard)) {
      throw wrong(
        `the tensor "${tensor}" is said to be in ${showJson(shard)}; expected the name of a .safetensors file in this folder`,
      );
    }
    shardOf.set(tensor, shard);
  }
  if (new Set(shardOf.values()).size > mostShards) throw wrong(`more than ${mostShards} files are named`);
  return shardOf;
}

/** Where each linear layer of a decoder layer is stored. */
function storedLinears(shape: ModelShape, layer: number): Record<LayerLinear, StoredRows> {
  const { hidden, feedForward } = shape;
  const queries = shape.heads * shape.headDim;
  const keys = shape.kvHeads * shape.headDim;
  const attention = `model.layers.${layer}.self_attn`;
  const mlp = `model.layers.${layer}.mlp`;
  const whole = (tensor: string, rows: number, columns: number, bias: boolean): StoredRows => ({
    tensor,
    storedRows: rows,
    firstRow: 0,
    rows,
    columns,
    bias,
  });
  const output = {
    attentionOutput: whole(`${attention}.o_proj`, hidden, queries, shape.outputBias),
    down: whole(`${mlp}.down_proj`, hidden, feedForward, shape.feedForwardBias),
  };
  if (shape.family === 'phi3') {
    const part = (tensor: string, storedRows: number, firstRow: number, rows: number): StoredRows => ({
      tensor,
      storedRows,
      firstRow,
      rows,
      columns: hidden,
      bias: false,
    });
    const fused = `${attention}.qkv_proj`;
    const fusedRows = queries + 2 * keys;
    return {
      ...output,
      query: part(fused, fusedRows, 0, queries),
      key: part(fused, fusedRows, queries, keys),
      value: part(fused, fusedRows, queries + keys, keys),
      gate: part(`${mlp}.gate_up_proj`, 2 * feedForward, 0, feedForward),
      up: part(`${mlp}.gate_up_proj`, 2 * feedForward, feedForward, feedForward),
    };
  }
  return {
    ...output,
    query: whole(`${attention}.q_proj`, queries, hidden, shape.queryKeyValueBias),
    key: whole(`${attention}.k_proj`, keys, hidden, shape.queryKeyValueBias),
    value: whole(`${attention}.v_proj`, keys, hidden, shape.queryKeyValueBias),
    gate: whole(`${mlp}.gate_proj`, feedForward, hidden, shape.feedForwardBias),
    up: whole(`${mlp}.up_proj`, feedForward, hidden, shape.feedForwardBias),
  };
}

/** Bytes of all tensors, and the encoding that most of them are in. */
function storedForm(located: Iterable<Located>): { readonly bytes: number; readonly encoding: WeightEncoding } {
  const bytesOf = new Map<WeightEncoding, number>();
  for (const { entry } of located) {
    const encoding = encodingOf(entry);
    bytesOf.set(encoding, (bytesOf.get(encoding) ?? 0) + entry.end - entry.begin);
  }
  let most: WeightEncoding = floatEncodings.float32;
  let sum = 0;
  for (const [encoding, bytes] of bytesOf) {
    sum += bytes;
    if (bytes > (bytesOf.get(most) ?? 0)) most = encoding;
  }
  return { bytes: sum, encoding: most };
}

function normTensor(layer: number, which: LayerNorm): string {
  switch (which) {
    case 'beforeAttention':
      return `model.layers.${layer}.input_layernorm.weight`;
    case 'beforeFeedForward':
      return `model.layers.${layer}.post_attention_layernorm.weight`;
    case 'queryHead':
      return `model.layers.${layer}.self_attn.q_norm.weight`;
    case 'keyHead':
      return `model.layers.${layer}.self_attn.k_norm.weight`;
  }
}

class SafetensorsCheckpoint implements Checkpoint {
  readonly fingerprint: string;
  readonly storedBytes: number;
  readonly encoding: WeightEncoding;
  readonly embedding: WeightMatrix;
  readonly languageHead: WeightMatrix;
  /** Every tensor of the forward pass, by name. */
  private readonly located = new Map<string, Located>();
  private readonly layers: readonly Record<LayerLinear, StoredRows>[];

  constructor(
    readonly place: string,
    readonly shape: ModelShape,
    private readonly files: ReadonlyMap<string, SafetensorsFile>,
    locate: Locate,
  ) {
    const check = (tensor: string, dimensions: readonly number[]): void => {
      this.located.set(tensor, locate(tensor, dimensions));
    };
    const { hidden, vocabulary } = shape;
    const table = { storedRows: vocabulary, firstRow: 0, rows: vocabulary, columns: hidden, bias: false };
    check('model.embed_tokens.weight', [vocabulary, hidden]);
    check('model.norm.weight', [hidden]);
    if (!shape.tiedEmbeddings) check('lm_head.weight', [vocabulary, hidden]);
    this.layers = shape.layers.map(({ norms }, layer) => {
      const linears = storedLinears(shape, layer);
      for (const which of layerLinears) {
        const { tensor, storedRows, columns, bias } = linears[which];
        check(`${tensor}.weight`, [storedRows, columns]);
        if (bias) check(`${tensor}.bias`, [storedRows]);
      }
      for (const norm of norms) check(normTensor(layer, norm), [normWidth(shape, norm)]);
      return linears;
    });
    this.embedding = this.matrix({ ...table, tensor: 'model.embed_tokens' });
    this.languageHead = shape.tiedEmbeddings ? this.embedding : this.matrix({ ...table, tensor: 'lm_head' });
    const { bytes, encoding } = storedForm(this.located.values());
    this.storedBytes = bytes;
    this.encoding = encoding;
    const hash = createHash('sha256').update(
      readTextFile(join(place, 'config.json'), Number.MAX_SAFE_INTEGER, damagedModel),
    );
    for (const [name, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`\n${name} ${file.fingerprint}`);
    }
    this.fingerprint = hash.digest('hex');
  }

  finalNorm(): Float32Array {
    return this.vector('model.norm.weight');
  }

  linear(layer: number, which: LayerLinear): WeightMatrix {
    return this.matrix(this.layerLinears(layer)[which]);
  }

  bias(layer: number, which: LayerLinear): Float32Array | undefined {
    const { tensor, bias } = this.layerLinears(layer)[which];
    return bias ? this.vector(`${tensor}.bias`) : undefined;
  }

  norm(layer: number, which: LayerNorm): Float32Array {
    return this.vector(normTensor(layer, which));
  }

  close(): void {
    for (const file of this.files.values()) file.close();
  }

  private layerLinears(layer: number): Record<LayerLinear, StoredRows> {
    const linears = this.layers[layer];
    if (linears === undefined) throw new RangeError(`layer ${layer} of ${this.shape.layers.length}`);
    return linears;
  }

  private find(tensor: string): Located {
    const located = this.located.get(tensor);
    if (located === undefined) throw new RangeError(`a ${this.shape.family} model has no tensor "${tensor}"`);
    return located;
  }

  private vector(tensor: string): Float32Array {
    const { file, entry } = this.find(tensor);
    return file.readFloats(entry, 0, entry.shape[0] ?? 0);
  }

  private matrix({ tensor, firstRow, rows, columns }: StoredRows): WeightMatrix {
    const { file, entry } = this.find(`${tensor}.weight`);
    return {
      origin: `${file.path}: ${entry.name}`,
      rows,
      columns,
      encoding: encodingOf(entry),
      read: () => file.readFloats(entry, firstRow * columns, rows * columns),
      readRows: (first, count) => file.readNumbers(entry, (firstRow + first) * columns, count * columns),
    };
  }
}
