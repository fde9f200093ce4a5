import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { seededRandom } from '../server/engine/random.js';
import { encodingNamed } from '../server/model/gguf/encoding.js';
import { type GgufTensor, type GgufValue, tensorBytes, writeGguf } from './gguf.js';
import { type BenchShape, type Bits, layerMatrices } from './shapes.js';

const matrixEncoding = { int8: 'Q8_0', int4: 'Q4_0' } as const satisfies Readonly<Record<Bits, string>>;
type RandomEncoding = 'F32' | (typeof matrixEncoding)[Bits];
const fileType: Readonly<Record<Bits, number>> = { int8: 7, int4: 2 };

const ggufNames: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** The bits of a float16 above its smallest normal number, 6e-5, and below 65504. */
function float16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 0xff) - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

const pieceBlocks = 1 << 15;

/** Bytes of a random tensor in pieces: one piece of random blocks, repeated. Values lie in -scale..scale. */
function* randomBytes(name: RandomEncoding, total: number, scale: number, seed: number): Generator<Uint8Array> {
  const random = seededRandom(seed);
  const blockBytes = encodingNamed(name)?.encoding.blockBytes ?? 1;
  const piece = Buffer.alloc(pieceBlocks * blockBytes);
  if (name === 'F32') {
    for (let at = 0; at < piece.length; at += 4) piece.writeFloatLE((2 * random() - 1) * scale, at);
  } else {
    const step = float16Bits(scale / (name === 'Q8_0' ? 127 : 8));
    for (let at = 0; at < piece.length; at++) piece[at] = 256 * random();
    for (let at = 0; at < piece.length; at += blockBytes) piece.writeUInt16LE(step, at);
  }
  for (let left = total; left > 0; left -= piece.length) yield left < piece.length ? piece.subarray(0, left) : piece;
}

/** A vocabulary that llama.cpp accepts: the 256 bytes in GPT-2's alphabet, then names, and an end token. */
function vocabulary(size: number): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const names = Array.from({ length: size - 259 }, (_, index) => `token${index}`);
  return [...bytes, 'to', 'ok', ...names, '<|endoftext|>'];
}

function metadataOf(shape: BenchShape, bits: Bits): Map<string, GgufValue> {
  const end: GgufValue = { type: 'uint32', value: shape.vocabulary - 1 };
  const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
  const key = (name: string): string => `${shape.family}.${name}`;
  return new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: shape.family }],
    ['general.name', { type: 'string', value: `${shape.name}, random weights` }],
    ['general.file_type', uint32(fileType[bits])],
    [key('block_count'), uint32(shape.layers)],
    [key('context_length'), uint32(shape.maxPositions)],
    [key('embedding_length'), uint32(shape.hidden)],
    [key('feed_forward_length'), uint32(shape.feedForward)],
    [key('attention.head_count'), uint32(shape.heads)],
    [key('attention.head_count_kv'), uint32(shape.kvHeads)],
    [key('attention.layer_norm_rms_epsilon'), { type: 'float32', value: shape.normEpsilon }],
    [key('rope.freq_base'), { type: 'float32', value: shape.ropeTheta }],
    [key('rope.dimension_count'), uint32(shape.headDim)],
    [key('vocab_size'), uint32(shape.vocabulary)],
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'qwen2' }],
    ['tokenizer.ggml.tokens', { type: 'list', of: 'string', value: vocabulary(shape.vocabulary) }],
    [
      'tokenizer.ggml.token_type',
      // 1: normal, 3: control.
      {
        type: 'list',
        of: 'int32',
        value: Array.from({ length: shape.vocabulary }, (_, i) => (i === shape.vocabulary - 1 ? 3 : 1)),
      },
    ],
    ['tokenizer.ggml.merges', { type: 'list', of: 'string', value: ['t o', 'o k'] }],
    ['tokenizer.ggml.bos_token_id', end],
    ['tokenizer.ggml.eos_token_id', end],
    ['tokenizer.ggml.padding_token_id', end],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
  ]);
}

/** Writes random weights of a shape, every matrix (the tied embedding too) in the given bits, unless the file exists. */
export async function ensureRandomGguf(file: string, shape: BenchShape, bits: Bits): Promise<void> {
  if (existsSync(file)) return;
  const tensors: GgufTensor[] = [];
  const add = (name: string, dimensions: readonly number[], encoding: RandomEncoding, scale: number): void => {
    const seed = tensors.length;
    tensors.push({
      name,
      dimensions,
      encoding,
      bytes: () => randomBytes(encoding, tensorBytes({ dimensions, encoding }), scale, seed),
    });
  };
  const encoding = matrixEncoding[bits];
  add('token_embd.weight', [shape.hidden, shape.vocabulary], encoding, 0.5);
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `blk.${layer}`;
    add(`${prefix}.attn_norm.weight`, [shape.hidden], 'F32', 1);
    add(`${prefix}.ffn_norm.weight`, [shape.hidden], 'F32', 1);
    for (const [name, { rows, columns }] of layerMatrices(shape)) {
      const ggufName = ggufNames[name] ?? name;
      add(`${prefix}.${ggufName}.weight`, [columns, rows], encoding, 1.7 / Math.sqrt(columns));
      if (shape.bias && /attn_[qkv]$/.test(ggufName)) add(`${prefix}.${ggufName}.bias`, [rows], 'F32', 0.1);
    }
  }
  add('output_norm.weight', [shape.hidden], 'F32', 1);
  await writeGguf(`${file}.part`, metadataOf(shape, bits), tensors);
  await rename(`${file}.part`, file);
}
