import { afterEach, describe, expect, it } from 'vitest';
import type { Checkpoint, LayerLinear } from '../../../../server/model/checkpoint.js';
import { openGgufCheckpoint } from '../../../../server/model/gguf/gguf-checkpoint.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { readGgufShape } from '../../../../server/model/gguf/model-shape.js';
import { openCheckpoint } from '../../../../server/model/hub-folder/open-checkpoint.js';
import { layerOf } from '../../../../server/model/shape.js';
import { expectRefusal, fixture } from '../model-folder.js';
import { contentOf, floats, writeContent, type GgufContent } from './gguf-files.js';

const LINEARS: readonly LayerLinear[] = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'];
const families = [
  'llama',
  'llama-linear',
  'llama-tied-f16',
  'mistral',
  'mistral-window',
  'qwen2',
  'qwen3',
  'phi3',
  'phi3-partial',
];

const open: { close(): void }[] = [];
afterEach(() => {
  for (const checkpoint of open.splice(0)) checkpoint.close();
});

function original(name: string): Checkpoint {
  const checkpoint = openCheckpoint(fixture(name));
  open.push(checkpoint);
  return checkpoint;
}

function openContent(content: GgufContent): Checkpoint {
  const file = GgufFile.open(writeContent(content));
  open.push(file);
  return openGgufCheckpoint(file, readGgufShape(file));
}

describe('openGgufCheckpoint', () => {
  it.each(families)('gives the weights of %s as its safetensors files do', (name) => {
    const expected = original(name);
    const checkpoint = openContent(contentOf(expected));
    expect(checkpoint.finalNorm()).toEqual(expected.finalNorm());
    expect(checkpoint.embedding.read()).toEqual(expected.embedding.read());
    expect(checkpoint.languageHead.read()).toEqual(expected.languageHead.read());
    for (let layer = 0; layer < expected.shape.layers.length; layer++) {
      for (const which of LINEARS) {
        const [matrix, wanted] = [checkpoint.linear(layer, which), expected.linear(layer, which)];
        expect([matrix.rows, matrix.columns]).toEqual([wanted.rows, wanted.columns]);
        expect(matrix.read()).toEqual(wanted.read());
        expect(checkpoint.bias(layer, which)).toEqual(expected.bias(layer, which));
      }
      for (const norm of layerOf(expected.shape, layer).norms) {
        expect(checkpoint.norm(layer, norm)).toEqual(expected.norm(layer, norm));
      }
    }
  });

  it.each(['llama', 'phi3'])('gives any rows as they are stored, in the order of use, with %s', (name) => {
    const checkpoint = openContent(contentOf(original(name)));
    for (const which of LINEARS) {
      const matrix = checkpoint.linear(1, which);
      const all = matrix.read();
      for (const [first, count] of [
        [0, matrix.rows],
        [0, 1],
        [3, 5],
        [matrix.rows - 7, 7],
        [1, matrix.rows - 2],
      ] as const) {
        const rows = new Float32Array(count * matrix.columns);
        matrix.encoding.decode(matrix.readRows(first, count), rows);
        expect(rows).toEqual(all.subarray(first * matrix.columns, (first + count) * matrix.columns));
      }
    }
  });

  it('takes both vocabulary matrices as the file has them', () => {
    const content = contentOf(original('llama-tied-f16'));
    const { shape } = original('llama-tied-f16');
    const tied = openContent(content);
    expect(tied.languageHead).toBe(tied.embedding);
    const numbers = Float32Array.from({ length: shape.vocabulary * shape.hidden }, (_, index) => index);
    const other = floats('output.weight', [shape.vocabulary, shape.hidden], numbers);
    const checkpoint = openContent({ ...content, tensors: [...content.tensors, other] });
    expect(checkpoint.shape.tiedEmbeddings).toBe(false);
    expect(checkpoint.languageHead.read()).toEqual(numbers);
    expect(checkpoint.embedding.read()).toEqual(original('llama-tied-f16').embedding.read());
  });

  it('says how most weights are stored and how many bytes they are', () => {
    const expected = original('qwen2');
    const checkpoint = openContent(contentOf(expected));
    expect(checkpoint.encoding.name).toBe('F32');
    expect(checkpoint.storedBytes).toBe(
      contentOf(expected).tensors.reduce((sum, { dimensions }) => sum + 4 * dimensions.reduce((a, b) => a * b, 1), 0),
    );
  });

  it('refuses a file that lacks a tensor, or has one of another shape, naming it', () => {
    const content = contentOf(original('qwen3'));
    const without = (name: string): GgufContent => ({
      ...content,
      tensors: content.tensors.filter((tensor) => tensor.name !== name),
    });
    expectRefusal(
      () => openContent(without('blk.1.attn_k.weight')),
      'model-corrupt',
      'has no tensor "blk.1.attn_k.weight"; expected a tensor "blk.1.attn_k.weight" of shape [64, 32]',
    );
    const wrong = floats('blk.2.attn_q_norm.weight', [16], new Float32Array(16));
    const tensors = [...without(wrong.name).tensors, wrong];
    expectRefusal(
      () => openContent({ ...content, tensors }),
      'model-corrupt',
      '"blk.2.attn_q_norm.weight" of shape [16]; expected',
      '[32]',
    );
  });

  it('refuses a tensor that the architecture does not have, which would change what is computed', () => {
    const content = contentOf(original('qwen2'));
    for (const name of ['blk.0.ffn_gate_inp.weight', 'blk.3.attn_norm.weight', 'position_embd.weight']) {
      const tensors = [...content.tensors, floats(name, [4], new Float32Array(4))];
      expectRefusal(
        () => openContent({ ...content, tensors }),
        'model-unsupported',
        `the tensor "${name}" is not known`,
      );
    }
  });
});
