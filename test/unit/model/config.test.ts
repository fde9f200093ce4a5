import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../server/contract/json.js';
import { readModelShape } from '../../../server/model/hub-folder/config.js';
import { layerNorms, layerOf, type ModelShape } from '../../../server/model/shape.js';
import { expectRefusal, fixture, modelFolder, readJson, type JsonObject } from './model-folder.js';

const models = readdirSync(fixture('')).filter((name) => name !== 'sentencepiece-tokenizers' && !name.includes('.'));

function shapeOf(config: JsonObject): ModelShape {
  return readModelShape(modelFolder({ 'config.json': config }));
}

/** A config of a fixture with some keys changed; undefined takes a key away. */
function changed(model: string, keys: JsonObject, file = 'config.v4.json'): JsonObject {
  return { ...readJson(path.join(fixture(model), file)), ...keys };
}

function windowsOf({ layers }: ModelShape): (number | undefined)[] {
  return layers.map(({ window }) => window);
}

describe('readModelShape', () => {
  it.each(models)('reads the same shape from the older and the newer keys of %s', (model) => {
    const shape = readModelShape(fixture(model));
    expect(shapeOf(readJson(path.join(fixture(model), 'config.v4.json')))).toEqual(shape);
  });

  it('reads every family', () => {
    expect(readModelShape(fixture('llama'))).toEqual({
      family: 'llama',
      layers: new Array(3).fill({
        window: undefined,
        rope: {
          theta: 10000,
          rotaryDim: 16,
          scaling: {
            kind: 'llama3',
            factor: 8,
            lowFrequencyFactor: 1,
            highFrequencyFactor: 4,
            originalMaxPositions: 64,
          },
        },
        norms: ['beforeAttention', 'beforeFeedForward'],
        activation: 'silu',
      }),
      hidden: 64,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      feedForward: 96,
      vocabulary: 512,
      normEpsilon: 1e-5,
      maxPositions: 512,
      tiedEmbeddings: false,
      queryKeyValueBias: false,
      outputBias: false,
      feedForwardBias: false,
    });
    expect(readModelShape(fixture('qwen2'))).toMatchObject({ queryKeyValueBias: true, tiedEmbeddings: true });
    expect(readModelShape(fixture('qwen3'))).toMatchObject({ headDim: 32 });
    expect(layerOf(readModelShape(fixture('qwen3')), 2).norms).toEqual(layerNorms(true));
    expect(readModelShape(fixture('mistral'))).toMatchObject({ headDim: 24, kvHeads: 1 });
    expect(windowsOf(readModelShape(fixture('mistral')))).toEqual([undefined, undefined, undefined]);
    expect(windowsOf(readModelShape(fixture('mistral-window')))).toEqual([64, 64, 64]);
    expect(readModelShape(fixture('mistral-window'))).toHaveProperty('maxPositions', 512);
    const linear = readModelShape(fixture('llama-linear'));
    expect(layerOf(linear, 0).rope.scaling).toEqual({ kind: 'linear', factor: 4 });
    expect(linear).toMatchObject({
      queryKeyValueBias: true,
      outputBias: true,
      feedForwardBias: true,
    });
    expect(layerOf(readModelShape(fixture('phi3-partial')), 0).rope).toMatchObject({
      rotaryDim: 12,
      scaling: {
        kind: 'longrope',
        originalMaxPositions: 64,
        attentionFactor: Math.sqrt(1 + Math.log(8) / Math.log(64)),
      },
    });
  });

  it('reads the names that early configs give to linear scaling and longrope', () => {
    const linear = shapeOf(changed('llama-linear', { rope_scaling: { type: 'linear', factor: 2 } }));
    expect(layerOf(linear, 0).rope.scaling).toEqual({ kind: 'linear', factor: 2 });
    const { rope_scaling: written } = readJson(path.join(fixture('phi3'), 'config.v4.json'));
    if (!isJsonObject(written)) throw new Error('the fixture has no rope_scaling');
    const renamed = { ...written, type: 'su', rope_type: undefined };
    expect(shapeOf(changed('phi3', { rope_scaling: renamed }))).toEqual(readModelShape(fixture('phi3')));
  });

  it.each<readonly [string, JsonObject, JsonObject]>([
    ['no window without use_sliding_window', { sliding_window: 100 }, { maxPositions: 1024 }],
    [
      'the window where all layers have it',
      { use_sliding_window: true, sliding_window: 100, max_window_layers: 0 },
      { maxPositions: 1024, window: 100 },
    ],
    [
      'no window where no layer has it',
      { use_sliding_window: true, sliding_window: 100, max_window_layers: 3 },
      { maxPositions: 1024 },
    ],
    [
      'the layers that layer_types names',
      {
        use_sliding_window: true,
        sliding_window: 100,
        layer_types: ['sliding_attention', 'sliding_attention', 'sliding_attention'],
      },
      { maxPositions: 1024, window: 100 },
    ],
    [
      'no window that reaches over all positions',
      { use_sliding_window: true, sliding_window: 1024, max_window_layers: 0 },
      { maxPositions: 1024 },
    ],
  ])('reads of qwen2 %s', (_, keys, expected) => {
    const shape = shapeOf(changed('qwen2', keys));
    const { window } = layerOf(shape, 0);
    expect(windowsOf(shape)).toEqual([window, window, window]);
    expect({ maxPositions: shape.maxPositions, ...(window === undefined ? {} : { window }) }).toEqual(expected);
  });

  it.each<readonly [string, string, JsonObject, string]>([
    ['another family', 'llama', { model_type: 'gemma2' }, '"gemma2"'],
    ['a quantized checkpoint', 'llama', { quantization_config: { bits: 4 } }, 'quantization_config'],
    ['another activation', 'llama', { hidden_act: 'gelu' }, '"gelu"'],
    ['another rope scaling', 'llama', { rope_scaling: { rope_type: 'yarn', factor: 2 } }, '"yarn"'],
    ['partial rotation of llama', 'llama', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
    [
      'a sliding window in some layers',
      'qwen2',
      { use_sliding_window: true, sliding_window: 100, max_window_layers: 1 },
      'a sliding window in 2 of 3 layers',
    ],
    [
      'another layer type',
      'qwen2',
      { use_sliding_window: true, layer_types: ['full_attention', 'full_attention', 'linear_attention'] },
      '"linear_attention"',
    ],
  ])('says that %s is not supported', (_, model, keys, message) => {
    expectRefusal(() => shapeOf(changed(model, keys)), 'model-unsupported', 'config.json', message);
  });

  it.each<readonly [string, JsonObject, string]>([
    ['a missing width', { hidden_size: undefined }, '"hidden_size"'],
    ['a width as text', { hidden_size: '64' }, '"hidden_size" must be a whole number from 1'],
    [
      'a giant number of layers',
      { num_hidden_layers: 1e9 },
      '"num_hidden_layers" must be a whole number from 1 to 4096',
    ],
    ['heads that do not share KV heads evenly', { num_key_value_heads: 3 }, '"num_key_value_heads"'],
    ['an odd head size', { head_dim: 15 }, '"head_dim" must be even'],
    ['an epsilon of zero', { rms_norm_eps: 0 }, '"rms_norm_eps"'],
    ['scaling without its factor', { rope_scaling: { rope_type: 'linear' } }, '"rope_scaling.factor" must be a number'],
    [
      'frequency factors upside down',
      { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1 } },
      '"rope_scaling.high_freq_factor" must be above low_freq_factor (4)',
    ],
  ])('refuses %s, naming the key', (_, keys, message) => {
    expectRefusal(() => shapeOf(changed('llama', keys)), 'model-corrupt', 'config.json', message);
  });

  it('refuses longrope with another number of factors than rotated pairs', () => {
    const rope = { rope_type: 'longrope', short_factor: [1, 2], long_factor: [1, 2] };
    expectRefusal(
      () => shapeOf(changed('phi3', { rope_scaling: rope })),
      'model-corrupt',
      '"rope_scaling.short_factor" must be a list of',
    );
  });

  it('refuses a config that is missing, no JSON, no object', () => {
    expectRefusal(() => readModelShape(modelFolder({})), 'model-corrupt', 'config.json is missing');
    expectRefusal(
      () => readModelShape(modelFolder({ 'config.json': '{' })),
      'model-corrupt',
      'config.json is not JSON',
    );
    expectRefusal(() => readModelShape(modelFolder({ 'config.json': [] })), 'model-corrupt', 'must hold a JSON object');
  });
});
