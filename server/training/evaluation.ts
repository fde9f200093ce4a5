import type { HeadInput } from '../contract/words.js';
import { headInputWidth } from '../model/checkpoint.js';
import type { ModelShape } from '../model/shape.js';
import { buildHeadScoreGraph, headStepNames } from './graphs/head-training-graphs.js';
import { GraphSession } from '../backends/processor/graph/graph-session.js';
import type { LayerSample } from './head-optimizer.js';
import type { LayerWeights } from './head-weights.js';
import { headOverlaps } from './overlap.js';
import { trainingPurpose } from './training-purpose.js';

/** How well heads predict labels that they were not trained on. */
export interface HeadQuality {
  /** SmoothL1, a mean over samples, layers, KV heads and tokens. */
  readonly regression: number;
  /** Share of the true top tenth that is found, a mean; chance is 0.1. */
  readonly overlap: number;
  /** The same, `[layers][kvHeads]`. */
  readonly overlaps: readonly (readonly number[])[];
  readonly samples: number;
  readonly tokens: number;
}

/** SmoothL1 with beta 1, a mean. */
function smoothLoss(scores: Float32Array, labels: Float32Array, kvHeads: number): number {
  const tokens = scores.length / kvHeads;
  let sum = 0;
  for (let token = 0; token < tokens; token++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const difference = Math.abs((scores[token * kvHeads + kvHead] ?? 0) - (labels[kvHead * tokens + token] ?? 0));
      sum += difference < 1 ? 0.5 * difference * difference : difference - 0.5;
    }
  }
  return sum / scores.length;
}

/**
 * Measures heads on samples, one after the other.
 * @param weights per layer
 * @throws LocretError engine-failed, and what drawing and labelling a sample throws
 */
export async function measureHeads(
  weights: readonly LayerWeights[],
  { shape, input, threads }: { readonly shape: ModelShape; readonly input: HeadInput; readonly threads: number },
  samples: AsyncIterable<readonly LayerSample[]>,
): Promise<HeadQuality> {
  const { kvHeads, layers } = shape;
  const inputs = headInputWidth(shape, input);
  const width = (weights[0]?.first.length ?? 0) / inputs;
  const session = await GraphSession.open(
    buildHeadScoreGraph({ kvHeads, width, inputs }),
    trainingPurpose('measuring the retaining heads'),
    threads,
  );
  const overlaps = layers.map(() => new Float64Array(kvHeads));
  let [count, tokens, regression] = [0, 0, 0];
  try {
    for await (const sample of samples) {
      count += 1;
      tokens += (sample[0]?.labels.length ?? 0) / kvHeads;
      for (const [layer, { input: data, labels }] of sample.entries()) {
        const { first, second } = weights[layer] ?? { first: new Float32Array(0), second: new Float32Array(0) };
        const output = await session.run(
          {
            [headStepNames.input]: { data, dimensions: [labels.length / kvHeads, inputs] },
            [headStepNames.parameter('first')]: { data: first, dimensions: [width, inputs] },
            [headStepNames.parameter('second')]: { data: second, dimensions: [kvHeads, width] },
          },
          { [headStepNames.scores]: undefined },
        );
        const scores = output(headStepNames.scores);
        regression += smoothLoss(scores, labels, kvHeads) / layers.length;
        const sums = overlaps[layer];
        for (const [kvHead, overlap] of headOverlaps(scores, labels, kvHeads).entries())
          if (sums !== undefined) sums[kvHead] = (sums[kvHead] ?? 0) + overlap;
      }
    }
  } finally {
    await session.dispose();
  }
  const means = overlaps.map((sums) => Array.from(sums, (sum) => sum / count));
  return {
    regression: regression / count,
    overlap: means.flat().reduce((sum, one) => sum + one, 0) / (layers.length * kvHeads),
    overlaps: means,
    samples: count,
    tokens,
  };
}
