import { describe, expect, it } from 'vitest';
import type { GgufTensor, GgufValue } from '../../../../bench/gguf.js';
import { GgufFile } from '../../../../server/model/gguf/gguf-file.js';
import { readGgufShape } from '../../../../server/model/gguf/model-shape.js';
import { openCheckpoint } from '../../../../server/model/hub-folder/open-checkpoint.js';
import { ropeTable } from '../../../../server/model/rope-table.js';
import { commonLayer, type ModelShape, type Rope } from '../../../../server/model/shape.js';
import { expectRefusal, fixture } from '../model-folder.js';
import { contentOf, floats, withMetadata, writeContent, type GgufContent } from './gguf-files.js';
import { strings } from './tokenizer-contents.js';

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
const float32 = (value: number): GgufValue => ({ type: 'float32', value });
const string = (value: string): GgufValue => ({ type: 'string', value });

function shapeOf(content: GgufContent): ModelShape {
  const file = GgufFile.open(writeContent(content));
  try {
    return readGgufShape(file);
  } finally {
    file.close();
  }
}

/** How all layers are rotated. */
function ropeOf({ layers }: Pick<ModelShape, 'layers'>): Rope {
  const layer = commonLayer({ layers });
  if (layer === undefined) throw new Error('the layers differ');
  return layer.rope;
}

function original(name: string): { readonly shape: ModelShape; readonly content: GgufContent } {
  const checkpoint = openCheckpoint(fixture(name));
  try {
    return { shape: checkpoint.shape, content: contentOf(checkpoint) };
  } finally {
    checkpoint.close();
  }
}

function withTensors(content: GgufContent, ...tensors: readonly GgufTensor[]): GgufContent {
  return { ...content, tensors: [...content.tensors, ...tensors] };
}

const llama = original('llama-tied-f16').content;

describe('readGgufShape', () => {
  it.each(['llama-linear', 'llama-tied-f16', 'qwen2', 'qwen3', 'phi3', 'phi3-partial'])(
    'gives the shape of %s as its config.json does',
    (name) => {
      const { shape, content } = original(name);
      const { layers, normEpsilon, ...rest } = shapeOf(content);
      const { layers: wantedLayers, normEpsilon: wantedEpsilon, ...wanted } = shape;
      expect(rest).toEqual(wanted);
      const [rope, wantedRope] = [ropeOf({ layers }), ropeOf({ layers: wantedLayers })];
      expect(layers.map((layer) => ({ ...layer, rope: wantedRope }))).toEqual(wantedLayers);
      expect(normEpsilon).toBe(Math.fround(wantedEpsilon));
      expect(rope.theta).toBe(wantedRope.theta);
      expect(rope.rotaryDim).toBe(wantedRope.rotaryDim);
      expect(rope.scaling.kind).toBe(wantedRope.scaling.kind);
    },
  );

  it('takes a Mistral model for the llama it is stored as', () => {
    const { shape, content } = original('mistral');
    expect(shapeOf(content)).toMatchObject({ ...shape, family: 'llama', normEpsilon: Math.fround(shape.normEpsilon) });
    expect(commonLayer(shapeOf(original('mistral-window').content))?.window).toBe(64);
  });

  it("turns positions with the factors of Llama 3.1's rope_freqs.weight as with its config", () => {
    const { shape, content } = original('llama');
    expect(ropeOf(shape).scaling.kind).toBe('llama3');
    expect(content.tensors.map(({ name }) => name)).toContain('rope_freqs.weight');
    const slots = 512;
    const expected = ropeTable(ropeOf(shape), slots);
    const found = ropeTable(ropeOf(shapeOf(content)), slots);
    for (const key of ['cos', 'sin'] as const) {
      const difference = expected[key].map((value, index) => Math.abs(value - (found[key][index] ?? NaN)));
      expect(Math.max(...difference)).toBeLessThan(1e-4);
    }
    const without = { ...content, tensors: content.tensors.filter(({ name }) => name !== 'rope_freqs.weight') };
    expect(ropeOf(shapeOf(without)).scaling).toEqual({ kind: 'none' });
  });

  it("takes LongRoPE's factors and its attention factor, given or computed", () => {
    const { shape, content } = original('phi3');
    const { scaling } = ropeOf(shape);
    if (scaling.kind !== 'longrope') throw new Error('phi3 has LongRoPE');
    const expected = {
      kind: 'longrope',
      shortFactors: scaling.shortFactors.map(Math.fround),
      longFactors: scaling.longFactors.map(Math.fround),
      originalMaxPositions: 64,
    };
    expect(ropeOf(shapeOf(content)).scaling).toEqual({
      ...expected,
      attentionFactor: Math.fround(scaling.attentionFactor),
    });
    const without = withMetadata(content, { 'phi3.rope.scaling.attn_factor': undefined });
    expect(ropeOf(shapeOf(without)).scaling).toEqual({ ...expected, attentionFactor: scaling.attentionFactor });
  });

  it('takes absent values for what llama.cpp takes them for', () => {
    const content = withMetadata(llama, {
      'llama.rope.freq_base': undefined,
      'llama.rope.dimension_count': undefined,
      'llama.attention.head_count_kv': undefined,
      'llama.attention.key_length': undefined,
      'llama.attention.value_length': undefined,
    });
    expect(shapeOf(content)).toMatchObject({ kvHeads: 4, headDim: 8 });
    expect(ropeOf(shapeOf(content))).toMatchObject({ theta: 10000, rotaryDim: 8 });
  });

  it('takes a linear scaling also without its type or under its first name', () => {
    for (const name of ['scaling.factor', 'scale_linear']) {
      const content = withMetadata(llama, { [`llama.rope.${name}`]: float32(4) });
      expect(ropeOf(shapeOf(content)).scaling).toEqual({ kind: 'linear', factor: 4 });
    }
    for (const factor of [0, 1]) {
      const content = withMetadata(llama, { 'llama.rope.scaling.factor': float32(factor) });
      expect(ropeOf(shapeOf(content)).scaling).toEqual({ kind: 'none' });
    }
    const none = withMetadata(llama, {
      'llama.rope.scaling.type': string('none'),
      'llama.rope.scaling.factor': float32(4),
    });
    expect(ropeOf(shapeOf(none)).scaling).toEqual({ kind: 'none' });
  });

  it('knows from the tensors which biases there are, and whether the vocabulary matrices are one', () => {
    const { hidden } = original('llama-tied-f16').shape;
    const bias = floats('blk.0.attn_output.bias', [hidden], new Float32Array(hidden));
    expect(shapeOf(llama)).toMatchObject({ tiedEmbeddings: true, outputBias: false });
    expect(shapeOf(withTensors(llama, bias)).outputBias).toBe(true);
    const head = floats('output.weight', [128, hidden], new Float32Array(128 * hidden));
    expect(shapeOf(withTensors(llama, head)).tiedEmbeddings).toBe(false);
  });

  it('ignores what says nothing about the computation', () => {
    const content = withMetadata(llama, {
      'general.name': string('A name'),
      'llama.tensor_data_layout': string('Meta AI original pth'),
      'llama.expert_count': uint32(0),
      'llama.attention.causal': { type: 'bool', value: true },
      'quantize.imatrix.file': string('x.dat'),
    });
    expect(shapeOf(content)).toEqual(shapeOf(llama));
  });

  it.each<
    readonly [string, Readonly<Record<string, GgufValue | undefined>>, 'model-unsupported' | 'model-corrupt', RegExp]
  >([
    [
      'without an architecture',
      { 'general.architecture': undefined },
      'model-corrupt',
      /"general.architecture" must be/,
    ],
    [
      'of another architecture',
      { 'general.architecture': string('gemma2') },
      'model-unsupported',
      /architecture "gemma2" is not supported/,
    ],
    [
      'with keys of another architecture',
      { 'qwen2.rope.freq_base': float32(1e6) },
      'model-corrupt',
      /"qwen2.rope.freq_base", not "llama"/,
    ],
    ['with experts', { 'llama.expert_count': uint32(8) }, 'model-unsupported', /"llama.expert_count" is not known/],
    [
      'with a key that is not known',
      { 'llama.rope.freq_basf': float32(1e6) },
      'model-unsupported',
      /"llama.rope.freq_basf" is not known/,
    ],
    [
      'without a context length',
      { 'llama.context_length': undefined },
      'model-corrupt',
      /"llama.context_length" must be a whole number/,
    ],
    [
      'without an epsilon',
      { 'llama.attention.layer_norm_rms_epsilon': undefined },
      'model-corrupt',
      /rms_epsilon" must be a number/,
    ],
    [
      'with no layers',
      { 'llama.block_count': uint32(0) },
      'model-corrupt',
      /"llama.block_count" must be a number from 1/,
    ],
    [
      'with heads per layer',
      { 'llama.attention.head_count': { type: 'list', of: 'uint32', value: [4, 4, 4] } },
      'model-corrupt',
      /head_count" must be a number from 1 to 4096, not a list of 3 numbers/,
    ],
    [
      'with KV heads that do not divide the heads',
      { 'llama.attention.head_count_kv': uint32(3) },
      'model-corrupt',
      /a divisor of 4/,
    ],
    [
      'with an endless number',
      { 'llama.context_length': { type: 'uint64', value: 2n ** 60n } },
      'model-corrupt',
      /not 1152921504606846976/,
    ],
    [
      'with values of another width',
      { 'llama.attention.value_length': uint32(16) },
      'model-unsupported',
      /keys of 8 and values of 16/,
    ],
    [
      'with an odd head',
      { 'llama.attention.key_length': uint32(7), 'llama.attention.value_length': uint32(7) },
      'model-corrupt',
      /even \(here it is 7\)/,
    ],
    [
      'that rotates a part',
      { 'llama.rope.dimension_count': uint32(4) },
      'model-unsupported',
      /rotating 4 of 8 dimensions/,
    ],
    [
      'scaled by YaRN',
      { 'llama.rope.scaling.type': string('yarn'), 'llama.rope.scaling.factor': float32(4) },
      'model-unsupported',
      /rope scaling "yarn" is not supported/,
    ],
    [
      'scaled by LongRoPE without factors',
      { 'llama.rope.scaling.type': string('longrope') },
      'model-corrupt',
      /rope_factors_short/,
    ],
    [
      'with an attention factor of its own',
      { 'llama.rope.scaling.attn_factor': float32(1.2) },
      'model-unsupported',
      /attention factor/,
    ],
    [
      'with another count of tokens',
      { 'tokenizer.ggml.tokens': strings(['a', 'b']) },
      'model-corrupt',
      /"tokenizer.ggml.tokens" must be a list of 128/,
    ],
    [
      'with another vocabulary size',
      { 'llama.vocab_size': uint32(127) },
      'model-corrupt',
      /"llama.vocab_size" must be 128/,
    ],
  ])('refuses a model %s', (_, changes, code, message) => {
    expectRefusal(() => shapeOf(withMetadata(llama, changes)), code, /^\/.*\.gguf/, message);
  });

  it('refuses scalings that exclude each other, and factors without sense', () => {
    const factors = (name: string, value: number): GgufTensor => floats(name, [4], new Float32Array(4).fill(value));
    const freqs = withTensors(llama, factors('rope_freqs.weight', 2));
    expect(ropeOf(shapeOf(freqs)).scaling.kind).toBe('longrope');
    expectRefusal(
      () => shapeOf(withMetadata(freqs, { 'llama.rope.scaling.factor': float32(4) })),
      'model-unsupported',
      'several scalings',
    );
    expectRefusal(
      () => shapeOf(withTensors(freqs, factors('rope_factors_long.weight', 2))),
      'model-unsupported',
      'several scalings',
    );
    expectRefusal(
      () => shapeOf(withTensors(llama, factors('rope_factors_long.weight', 2))),
      'model-corrupt',
      'rope_factors_short',
    );
    for (const value of [0, -1, NaN, Infinity]) {
      expectRefusal(
        () => shapeOf(withTensors(llama, factors('rope_freqs.weight', value))),
        'model-corrupt',
        '"rope_freqs.weight" with factors outside',
      );
    }
  });

  it("refuses a sliding window of some of Qwen's layers", () => {
    const { content } = original('qwen2');
    const window = withMetadata(content, { 'qwen2.attention.sliding_window': uint32(64) });
    expectRefusal(() => shapeOf(window), 'model-unsupported', 'a sliding window of 64 in some layers');
  });
});
