import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { seededRandom } from '../server/engine/random.js';
import { writeSafetensors } from '../server/model/safetensors-writer.js';
import { type BenchShape, layerMatrices } from './shapes.js';

interface RandomTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Values lie in -scale..scale; 'ones': all are 1. */
  readonly scale: number | 'ones';
}

const pieceValues = 1 << 18;

/** Bytes of a random bfloat16 tensor in pieces: one piece of random values, repeated. */
function* randomBytes({ shape, scale }: RandomTensor, seed: number): Generator<Uint8Array> {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: pieceValues }, () => (scale === 'ones' ? 1 : (2 * random() - 1) * scale));
  const piece = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  for (let left = count; left > 0; left -= pieceValues) {
    yield new Uint8Array(piece.buffer, 0, 2 * Math.min(left, pieceValues));
  }
}

async function writeRandomSafetensors(file: string, tensors: readonly RandomTensor[]): Promise<void> {
  await writeSafetensors(
    file,
    tensors.map((tensor, index) => ({
      name: tensor.name,
      dtype: 'BF16',
      shape: tensor.shape,
      data: () => randomBytes(tensor, index),
    })),
  );
}

function configOf(shape: BenchShape): object {
  return {
    architectures: [shape.family === 'qwen2' ? 'Qwen2ForCausalLM' : 'LlamaForCausalLM'],
    model_type: shape.family,
    num_hidden_layers: shape.layers,
    hidden_size: shape.hidden,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    intermediate_size: shape.feedForward,
    vocab_size: shape.vocabulary,
    rope_theta: shape.ropeTheta,
    rms_norm_eps: shape.normEpsilon,
    max_position_embeddings: shape.maxPositions,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
  };
}

function modelTensors(shape: BenchShape): RandomTensor[] {
  const tensors: RandomTensor[] = [
    { name: 'model.embed_tokens.weight', shape: [shape.vocabulary, shape.hidden], scale: 0.5 },
  ];
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      tensors.push({ name: `${prefix}.${norm}.weight`, shape: [shape.hidden], scale: 'ones' });
    }
    for (const [name, { rows, columns }] of layerMatrices(shape)) {
      tensors.push({ name: `${prefix}.${name}.weight`, shape: [rows, columns], scale: 1.7 / Math.sqrt(columns) });
      if (shape.bias && /\.[qkv]_proj$/.test(name)) {
        tensors.push({ name: `${prefix}.${name}.bias`, shape: [rows], scale: 0.1 });
      }
    }
  }
  tensors.push({ name: 'model.norm.weight', shape: [shape.hidden], scale: 'ones' });
  return tensors;
}

function headTensors(shape: BenchShape): RandomTensor[] {
  const input = (shape.heads + 2 * shape.kvHeads) * shape.headDim;
  return Array.from({ length: shape.layers }, (_, layer): RandomTensor[] => {
    const prefix = `model.layers.${layer}.self_attn`;
    return [
      {
        name: `${prefix}.fc1.weight`,
        shape: [shape.retainingWidth, input],
        scale: 1.7 / Math.sqrt(input),
      },
      {
        name: `${prefix}.fc2.weight`,
        shape: [shape.kvHeads, shape.retainingWidth],
        scale: 1.7 / Math.sqrt(shape.retainingWidth),
      },
    ];
  }).flat();
}

/** Writes a checkpoint of random bfloat16 weights and its retaining heads below a folder, unless they exist. */
export async function ensureRandomCheckpoint(
  folder: string,
  shape: BenchShape,
): Promise<{ readonly model: string; readonly heads: string }> {
  const model = `${folder}/${shape.name}`;
  const heads = `${folder}/${shape.name}-heads.safetensors`;
  if (existsSync(model) && existsSync(heads)) return { model, heads };
  const unfinished = `${model}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await rm(model, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await writeFile(`${unfinished}/config.json`, JSON.stringify(configOf(shape), null, 2));
  await writeRandomSafetensors(`${unfinished}/model.safetensors`, modelTensors(shape));
  await writeRandomSafetensors(heads, headTensors(shape));
  await rename(unfinished, model);
  return { model, heads };
}
