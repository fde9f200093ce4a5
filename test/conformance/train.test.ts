import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headTensorName } from '../../server/model/retaining-heads.js';
import { FrozenModel } from '../../server/training/frozen-model.js';
import {
  beginningState,
  HeadOptimizer,
  type LayerSample,
  type StepLoss,
} from '../../server/training/head-optimizer.js';
import type { LayerWeights } from '../../server/training/head-weights.js';
import { openLabelPass } from '../../server/training/label-pass.js';
import { labelSample } from '../../server/training/label-sample.js';
import { learningRate } from '../../server/training/schedule.js';
import { floatsOf, integersOf, largestDifference, readTensors } from './read-tensors.js';

interface Reference {
  readonly prefix_len: number;
  readonly scenarios: Readonly<
    Record<
      'one_step' | 'schedule' | 'clip',
      {
        readonly steps: readonly {
          readonly lr: number;
          readonly loss_printed: number;
          readonly smooth_loss_sum_over_layers: number;
          readonly acc: number;
        }[];
      }
    >
  >;
}

const fixtures = fileURLToPath(new URL('../fixtures/locret', import.meta.url));
const tensors = readTensors(path.join(fixtures, 'train_step.safetensors'));
const parse: (text: string) => Reference = JSON.parse;
const reference = parse(readFileSync(path.join(fixtures, 'train_step.json'), 'utf8'));
const layers = [0, 1, 2];
const kvHeads = 2;

/** Heads that the reference names by a prefix. */
function weightsOf(prefix: string): LayerWeights[] {
  return layers.map((layer) => ({
    first: floatsOf(tensors, `${prefix}.${headTensorName(layer, 'fc1')}`).slice(),
    second: floatsOf(tensors, `${prefix}.${headTensorName(layer, 'fc2')}`).slice(),
  }));
}

/** The largest difference between two sets of heads. */
function difference(a: readonly LayerWeights[], b: readonly LayerWeights[]): number {
  return Math.max(
    ...layers.flatMap((layer) =>
      (['first', 'second'] as const).map((matrix) =>
        largestDifference(a[layer]?.[matrix] ?? [], b[layer]?.[matrix] ?? []),
      ),
    ),
  );
}

describe('training retaining heads', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'locret-train-'));
  let model: FrozenModel;
  let sample: readonly LayerSample[];

  beforeAll(async () => {
    model = await FrozenModel.open({
      model: fixtures,
      precision: 'float32',
      threads: 1,
      cacheFolder: folder,
      headInputs: ['qkv'],
      capacity: 256,
    });
    const labels = await openLabelPass('published', model.shape, [], 1);
    const tokens = integersOf(tensors, 'input_ids');
    const { prefix_len: prefix } = reference;
    // Nothing stands between the text and the answer there: the answer's tokens are the exchange.
    sample = await labelSample(
      model,
      labels,
      {
        memory: Int32Array.from(tokens.slice(0, prefix)),
        exchanges: [{ prompt: [], answer: tokens.slice(prefix) }],
      },
      { input: 'qkv', stopTokens: [] },
    );
    await labels.dispose();
  });

  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function train(
    from: string,
    rates: readonly number[],
    onGradients?: Parameters<HeadOptimizer['step']>[2],
  ): Promise<{ weights: LayerWeights[]; losses: StepLoss[] }> {
    const optimizer = await HeadOptimizer.open(model.shape, 'qkv', beginningState(weightsOf(from)), 0, 1);
    const losses: StepLoss[] = [];
    for (const rate of rates) losses.push(await optimizer.step(sample, rate, onGradients));
    const weights = optimizer.weights();
    await optimizer.dispose();
    return { weights, losses };
  }

  const ratesOf = (scenario: keyof Reference['scenarios']): number[] =>
    reference.scenarios[scenario].steps.map(({ lr }) => lr);

  it("gives the official code's labels", () => {
    const expected = floatsOf(tensors, 'labels');
    const size = kvHeads * reference.prefix_len;
    for (const layer of layers) {
      const labels = sample[layer]?.labels ?? [];
      expect(largestDifference(labels, expected.subarray(layer * size, (layer + 1) * size))).toBeLessThan(2e-5);
    }
  });

  it("has the official code's losses, gradients and weights after one step", async () => {
    const gradients: LayerWeights[] = [];
    const { weights, losses } = await train('before', ratesOf('one_step'), (layer, of) => {
      gradients[layer] = { first: of.first.slice(), second: of.second.slice() };
    });
    const [expected] = reference.scenarios.one_step.steps;
    expect(losses[0]?.regression).toBeCloseTo(expected?.loss_printed ?? NaN, 4);
    expect(losses[0]?.smoothness).toBeCloseTo(expected?.smooth_loss_sum_over_layers ?? NaN, 3);
    expect(losses[0]?.overlap).toBeCloseTo(expected?.acc ?? NaN, 6);
    expect(difference(gradients, weightsOf('one_step.grad'))).toBeLessThan(2e-6);
    expect(difference(weights, weightsOf('one_step.after'))).toBeLessThan(2e-6);
  });

  it('warms up from a rate of 0 as the official code does', async () => {
    const rates = [0, 1, 2].map((step) => learningRate({ rate: 5e-4, steps: 3000, warmup: 2000 }, step));
    expect(rates).toEqual(ratesOf('schedule'));
    expect(difference((await train('before', rates.slice(0, 1))).weights, weightsOf('schedule.after1'))).toBeLessThan(
      1e-9,
    );
    const { weights, losses } = await train('before', rates);
    expect(losses.map(({ regression }) => regression)).toEqual(
      reference.scenarios.schedule.steps.map(({ loss_printed: loss }): unknown => expect.closeTo(loss, 4)),
    );
    expect(difference(weights, weightsOf('schedule.after3'))).toBeLessThan(1e-8);
  });

  it('clips gradients by value as the official code does', async () => {
    let raw: LayerWeights[] | undefined;
    const gradients: LayerWeights[] = [];
    const { weights, losses } = await train('clip.before', ratesOf('clip'), (layer, of) => {
      gradients[layer] = { first: of.first.slice(), second: of.second.slice() };
      if (layer === 2) raw ??= gradients.slice();
    });
    expect(difference(raw ?? [], weightsOf('clip.grad_raw'))).toBeLessThan(1e-4);
    for (const [step, { regression, smoothness }] of losses.entries()) {
      const expected = reference.scenarios.clip.steps[step];
      expect(regression).toBeCloseTo(expected?.loss_printed ?? NaN, 3);
      expect(smoothness / (expected?.smooth_loss_sum_over_layers ?? NaN)).toBeCloseTo(1, 5);
    }
    expect(difference(weights, weightsOf('clip.after5'))).toBeLessThan(2e-5);
  });
});
