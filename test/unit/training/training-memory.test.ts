import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../../server/model/model.js';
import { openModel } from '../../../server/model/model.js';
import { equalLayers, layerOf } from '../../../server/model/shape.js';
import { checkTrainingMemory, trainingBytes } from '../../../server/training/training-memory.js';
import { completeOptions } from '../../../server/training/training-options.js';
import { fixture } from '../model/model-folder.js';

const options = completeOptions({ threads: 1, precision: 'float32' });
let model: LoadedModel;

beforeAll(async () => {
  const opened = await openModel(fixture('qwen2'));
  // The shape of Qwen2.5-Coder-1.5B.
  const large = {
    layers: equalLayers(28, layerOf(opened.shape, 0)),
    hidden: 1536,
    heads: 12,
    kvHeads: 2,
    headDim: 128,
    feedForward: 8960,
    vocabulary: 151_936,
  };
  model = { ...opened, shape: { ...opened.shape, ...large, maxPositions: 32_768 } };
});

describe('the memory of a training', () => {
  it('is mostly weights, and less of it with smaller ones', () => {
    const full = trainingBytes(model, options, 2048);
    expect(full.peak).toBeGreaterThan(6e9);
    expect(full.weights).toBeGreaterThan(full.sample + full.heads);
    expect(trainingBytes(model, { ...options, precision: 'int8' }, 2048).peak).toBeLessThan(full.peak / 2);
  });

  it('grows with the width of the heads and with the sample', () => {
    const { sample, heads } = trainingBytes(model, options, 1024);
    expect(trainingBytes(model, { ...options, width: 1024 }, 1024).heads).toBeGreaterThan(3 * heads);
    expect(trainingBytes(model, options, 2048).sample).toBeGreaterThan(1.2 * sample);
  });

  it('counts weights as the product runs them, unless others are asked for', () => {
    const usual = completeOptions({ threads: 1 });
    expect(trainingBytes(model, usual, 2048)).toEqual(trainingBytes(model, { ...options, precision: 'int8' }, 2048));
  });

  it('that does not suffice is refused with the arithmetic', () => {
    const check = (free: number) => () => {
      checkTrainingMemory(model, options, 2048, free);
    };
    expect(check(64 * 2 ** 30)).not.toThrow();
    expect(check(2 * 2 ** 30)).toThrow(/float32[^]*and 2\.00 GB are free/);
    expect(check(2 * 2 ** 30)).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
  });
});
