import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { ggufPieces, type GgufTensor, type GgufValue } from '../../../../bench/gguf.js';
import type { Checkpoint, LayerLinear } from '../../../../server/model/checkpoint.js';
import { layerOf, type LayerNorm } from '../../../../server/model/shape.js';

export type Metadata = ReadonlyMap<string, GgufValue>;

/** What a GGUF file is made of. */
export interface GgufContent {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
}

const root = mkdtempSync(path.join(tmpdir(), 'locret-gguf-'));
let files = 0;

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** The path of a new file with these bytes. */
export function fileOf(bytes: Uint8Array, name = `${++files}.gguf`): string {
  const file = path.join(root, name);
  writeFileSync(file, bytes);
  return file;
}

export function bytesOf({ metadata, tensors }: GgufContent): Buffer {
  return Buffer.concat([...ggufPieces(metadata, tensors)]);
}

/** The path of a new GGUF file. */
export function writeContent(content: GgufContent, name?: string): string {
  return fileOf(bytesOf(content), name);
}

export function tensor(name: string, dimensions: readonly number[], encoding: string, bytes: Uint8Array): GgufTensor {
  return { name, dimensions, encoding, bytes: () => [bytes] };
}

/** A float32 tensor; `shape` slowest dimension first. */
export function floats(name: string, shape: readonly number[], numbers: Float32Array): GgufTensor {
  return tensor(
    name,
    shape.toReversed(),
    'F32',
    new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  );
}

/** The same content with some metadata set, or removed where it is undefined. */
export function withMetadata(
  content: GgufContent,
  changes: Readonly<Record<string, GgufValue | undefined>>,
): GgufContent {
  const metadata = new Map(content.metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return { ...content, metadata };
}

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
const float32 = (value: number): GgufValue => ({ type: 'float32', value });

const ARCHITECTURES = { llama: 'llama', mistral: 'llama', qwen2: 'qwen2', qwen3: 'qwen3', phi3: 'phi3' } as const;
const LINEARS: Readonly<Record<LayerLinear, string>> = {
  query: 'attn_q',
  key: 'attn_k',
  value: 'attn_v',
  attentionOutput: 'attn_output',
  gate: 'ffn_gate',
  up: 'ffn_up',
  down: 'ffn_down',
};

/** The rows of each head in the order in which llama.cpp's converter puts them for the architecture `llama`. */
function pairedRows(rows: Float32Array, width: number, headRows: number): Float32Array {
  const half = headRows / 2;
  const result = new Float32Array(rows.length);
  for (let row = 0; row < rows.length / width; row++) {
    const head = row - (row % headRows);
    const within = row - head;
    const pair = within % half;
    const stored = head + 2 * pair + (within < half ? 0 : 1);
    result.set(rows.subarray(row * width, (row + 1) * width), stored * width);
  }
  return result;
}

function joined(...parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** A model as a GGUF file, every tensor in float32, as llama.cpp's converter lays it out; without a tokenizer. */
export function contentOf(checkpoint: Checkpoint): GgufContent {
  const { shape } = checkpoint;
  const { hidden, headDim } = shape;
  const { rope, window } = layerOf(shape, 0);
  const architecture = ARCHITECTURES[shape.family];
  const key = (name: string): string => `${architecture}.${name}`;
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    [key('context_length'), uint32(shape.maxPositions)],
    [key('embedding_length'), uint32(hidden)],
    [key('block_count'), uint32(shape.layers.length)],
    [key('feed_forward_length'), uint32(shape.feedForward)],
    [key('attention.head_count'), uint32(shape.heads)],
    [key('attention.head_count_kv'), uint32(shape.kvHeads)],
    [key('attention.key_length'), uint32(headDim)],
    [key('attention.value_length'), uint32(headDim)],
    [key('attention.layer_norm_rms_epsilon'), float32(shape.normEpsilon)],
    [key('rope.dimension_count'), uint32(rope.rotaryDim)],
    [key('rope.freq_base'), float32(rope.theta)],
  ]);
  if (window !== undefined) metadata.set(key('attention.sliding_window'), uint32(window));
  const tensors: GgufTensor[] = [
    floats('token_embd.weight', [shape.vocabulary, hidden], checkpoint.embedding.read()),
    floats('output_norm.weight', [hidden], checkpoint.finalNorm()),
  ];
  if (!shape.tiedEmbeddings) {
    tensors.push(floats('output.weight', [shape.vocabulary, hidden], checkpoint.languageHead.read()));
  }
  switch (rope.scaling.kind) {
    case 'none':
      break;
    case 'linear':
      metadata.set(key('rope.scaling.type'), { type: 'string', value: 'linear' });
      metadata.set(key('rope.scaling.factor'), float32(rope.scaling.factor));
      break;
    case 'llama3':
      tensors.push(
        floats('rope_freqs.weight', [rope.rotaryDim / 2], llama3Factors(rope.theta, rope.rotaryDim, rope.scaling)),
      );
      break;
    case 'longrope': {
      const { shortFactors, longFactors, attentionFactor, originalMaxPositions } = rope.scaling;
      metadata.set(key('rope.scaling.attn_factor'), float32(attentionFactor));
      metadata.set(key('rope.scaling.original_context_length'), uint32(originalMaxPositions));
      tensors.push(floats('rope_factors_long.weight', [rope.rotaryDim / 2], Float32Array.from(longFactors)));
      tensors.push(floats('rope_factors_short.weight', [rope.rotaryDim / 2], Float32Array.from(shortFactors)));
      break;
    }
  }
  for (let layer = 0; layer < shape.layers.length; layer++)
    tensors.push(...layerTensors(checkpoint, layer, architecture));
  return { metadata, tensors };
}

/** What llama.cpp's converter writes as `rope_freqs.weight` for Llama 3.1 (its `generate_extra_tensors`). */
export function llama3Factors(
  theta: number,
  rotaryDim: number,
  scaling: {
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly originalMaxPositions: number;
  },
): Float32Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions: original } = scaling;
  return Float32Array.from({ length: rotaryDim / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * pair) / rotaryDim);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

function layerTensors(checkpoint: Checkpoint, layer: number, architecture: string): GgufTensor[] {
  const { hidden, headDim, feedForward } = checkpoint.shape;
  const blk = (name: string): string => `blk.${layer}.${name}`;
  const norm = (name: string, which: LayerNorm, width: number): GgufTensor =>
    floats(blk(`${name}.weight`), [width], checkpoint.norm(layer, which));
  const tensors = [norm('attn_norm', 'beforeAttention', hidden), norm('ffn_norm', 'beforeFeedForward', hidden)];
  if (layerOf(checkpoint.shape, layer).norms.includes('queryHead')) {
    tensors.push(norm('attn_q_norm', 'queryHead', headDim), norm('attn_k_norm', 'keyHead', headDim));
  }
  const whole = (which: LayerLinear): GgufTensor[] => {
    const matrix = checkpoint.linear(layer, which);
    const { rows, columns } = matrix;
    const paired = architecture === 'llama' && (which === 'query' || which === 'key');
    const stored = (numbers: Float32Array, width: number): Float32Array =>
      paired ? pairedRows(numbers, width, headDim) : numbers;
    const bias = checkpoint.bias(layer, which);
    const name = blk(LINEARS[which]);
    return [
      floats(`${name}.weight`, [rows, columns], stored(matrix.read(), columns)),
      ...(bias === undefined ? [] : [floats(`${name}.bias`, [rows], stored(bias, 1))]),
    ];
  };
  if (architecture !== 'phi3') {
    return [
      ...tensors,
      ...(['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'] as const).flatMap(whole),
    ];
  }
  const read = (which: LayerLinear): Float32Array => checkpoint.linear(layer, which).read();
  const attention = joined(read('query'), read('key'), read('value'));
  return [
    ...tensors,
    floats(blk('attn_qkv.weight'), [attention.length / hidden, hidden], attention),
    floats(blk('ffn_up.weight'), [2 * feedForward, hidden], joined(read('gate'), read('up'))),
    ...whole('attentionOutput'),
    ...whole('down'),
  ];
}
