import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel, type LoadedModel } from '../../../server/model/model.js';
import type { LayerSample } from '../../../server/training/head-optimizer.js';
import { LabelledSamples, sampleTokens, type SampleSettings } from '../../../server/training/labelled-samples.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const nano = path.join(root, 'models/nano');
const folder = mkdtempSync(path.join(tmpdir(), 'locret-samples-'));
const settings: SampleSettings = {
  model: nano,
  repositories: [path.join(root, 'server/repository')],
  input: 'qkv',
  labels: 'contribution',
  answers: 'source',
  tokens: 160,
  questions: 2,
  seed: 3,
  threads: 1,
  cacheFolder: folder,
};
let model: LoadedModel;

beforeAll(async () => {
  model = await openModel(nano);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function gathered(samples: AsyncIterable<readonly LayerSample[]>): Promise<(readonly LayerSample[])[]> {
  const all: (readonly LayerSample[])[] = [];
  for await (const sample of samples) all.push(sample);
  return all;
}

describe('samples', () => {
  it('that are held out are the same bit by bit when only their text is read again', async () => {
    const samples = await LabelledSamples.open(model, settings, {});
    const first = await gathered(samples.heldOut(2));
    await samples.training(0);
    expect(await gathered(samples.heldOut(2))).toEqual(first);
    await samples.dispose();
    const others = await LabelledSamples.open(model, settings, {});
    expect(await gathered(others.heldOut(2))).toEqual(first);
    await others.dispose();
  });

  it('are of half of the window of the model, and not longer than that is of use', () => {
    const of = (window: number): LoadedModel => ({
      ...model,
      locret: {},
      shape: { ...model.shape, maxPositions: window },
    });
    expect(sampleTokens(model, undefined)).toBe(512);
    expect(sampleTokens(of(8192), undefined)).toBe(4096);
    expect(sampleTokens(of(32_768), undefined)).toBe(8192);
    expect(sampleTokens(of(32_768), 10_240)).toBe(10_240);
  });
});
