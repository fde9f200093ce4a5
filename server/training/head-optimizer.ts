import type { HeadInput } from '../contract/words.js';
import { LocretError } from '../errors.js';
import { headInputWidth } from '../model/checkpoint.js';
import type { ModelShape } from '../model/shape.js';
import {
  buildHeadStepGraph,
  headMatrices,
  headStepNames,
  type HeadMatrix,
  type HeadStepConstants,
} from './graphs/head-training-graphs.js';
import { GraphSession, type Numbers } from '../backends/processor/graph/graph-session.js';
import type { LayerWeights } from './head-weights.js';
import { headOverlaps } from './overlap.js';
import { trainingPurpose } from './training-purpose.js';

/** What one layer's head is to learn of one sample. */
export interface LayerSample {
  /** `[tokens, inputs]` */
  readonly input: Float32Array;
  /** `[kvHeads, tokens]` */
  readonly labels: Float32Array;
}

/** A matrix with AdamW's moments. */
export interface MatrixState {
  weight: Float32Array;
  mean: Float32Array;
  square: Float32Array;
}

export type LayerState = Readonly<Record<HeadMatrix, MatrixState>>;

/** The losses of a step, over all layers. */
export interface StepLoss {
  /** SmoothL1, a mean over tokens, layers and KV heads. */
  readonly regression: number;
  /** Squared difference of neighbouring scores: a mean per layer, summed over layers. */
  readonly smoothness: number;
  /** Share of the true top tenth that the scores found before the step, a mean over heads. */
  readonly overlap: number;
}

/** As published (arXiv 2410.01805, section 3.3 and the official train.py). */
export const publishedOptimizer = {
  smoothness: 0.0025,
  clip: 0.5,
  betas: [0.9, 0.95],
  epsilon: 1e-8,
  weightDecay: 0.01,
} as const satisfies Partial<HeadStepConstants>;

/** The error of a training whose numbers ran away; its weights are of no use. */
export function diverged(step: number): LocretError {
  return new LocretError(
    'invalid-argument',
    `Training diverged by step ${step}: the loss is not a finite number any more.`,
    'Begin anew (--fresh) with a lower learning rate (--rate).',
  );
}

function freshState(weight: Float32Array): MatrixState {
  return { weight, mean: new Float32Array(weight.length), square: new Float32Array(weight.length) };
}

/** Moments of zero for heads that no step was made of. */
export function beginningState(layers: readonly LayerWeights[]): LayerState[] {
  return layers.map(({ first, second }) => ({ first: freshState(first), second: freshState(second) }));
}

/** Trains the heads of all layers, one step at a time; each layer's step is one run of the same graph. */
export class HeadOptimizer {
  /** Arrays that a step writes into; they change places with the layer's own. */
  private readonly spare: LayerState;

  private constructor(
    private readonly session: GraphSession,
    private readonly shape: ModelShape,
    private readonly dimensions: Readonly<Record<HeadMatrix, readonly [number, number]>>,
    readonly layers: readonly LayerState[],
    private doneSteps: number,
  ) {
    const empty = (matrix: HeadMatrix): MatrixState => {
      const [rows, columns] = dimensions[matrix];
      return freshState(new Float32Array(rows * columns));
    };
    this.spare = { first: empty('first'), second: empty('second') };
  }

  /**
   * @param layers weights and moments; they are trained in place
   * @param steps how many were made
   * @throws LocretError engine-failed
   */
  static async open(
    shape: ModelShape,
    input: HeadInput,
    layers: readonly LayerState[],
    steps: number,
    threads: number,
  ): Promise<HeadOptimizer> {
    const inputs = headInputWidth(shape, input);
    const width = (layers[0]?.first.weight.length ?? 0) / inputs;
    const { kvHeads } = shape;
    const graph = buildHeadStepGraph({ ...publishedOptimizer, layers: shape.layers.length, kvHeads, width, inputs });
    const session = await GraphSession.open(graph, trainingPurpose('training the retaining heads'), threads);
    return new HeadOptimizer(session, shape, { first: [width, inputs], second: [kvHeads, width] }, layers, steps);
  }

  /** Steps made so far. */
  get steps(): number {
    return this.doneSteps;
  }

  /** The heads as they are now. */
  weights(): LayerWeights[] {
    return this.layers.map(({ first, second }) => ({ first: first.weight, second: second.weight }));
  }

  /**
   * One step on one sample.
   * @param sample per layer
   * @param rate learning rate
   * @param onGradients receives each layer's gradients before clipping, `[first, second]`
   * @throws LocretError invalid-argument when the numbers are not finite any more; the weights are then of no use
   */
  async step(
    sample: readonly LayerSample[],
    rate: number,
    onGradients?: (layer: number, gradients: Readonly<Record<HeadMatrix, Float32Array>>) => void,
  ): Promise<StepLoss> {
    this.doneSteps += 1;
    let regression = 0;
    let smoothness = 0;
    const overlaps: number[] = [];
    for (const [layer, state] of this.layers.entries()) {
      const { input, labels } = sample[layer] ?? { input: new Float32Array(0), labels: new Float32Array(0) };
      const output = await this.layerStep(state, { input, labels }, rate, onGradients !== undefined);
      regression += (output(headStepNames.regression)[0] ?? NaN) / this.layers.length;
      smoothness += output(headStepNames.smoothness)[0] ?? NaN;
      overlaps.push(...headOverlaps(output(headStepNames.scores), labels, this.shape.kvHeads));
      onGradients?.(layer, {
        first: output(headStepNames.gradient('first')),
        second: output(headStepNames.gradient('second')),
      });
    }
    if (!Number.isFinite(regression) || !Number.isFinite(smoothness)) throw diverged(this.doneSteps);
    return { regression, smoothness, overlap: overlaps.reduce((sum, one) => sum + one, 0) / overlaps.length };
  }

  private async layerStep(
    state: LayerState,
    { input, labels }: LayerSample,
    rate: number,
    withGradients: boolean,
  ): Promise<(name: string) => Float32Array> {
    const { kvHeads } = this.shape;
    const tokens = labels.length / kvHeads;
    const [firstBeta, secondBeta] = publishedOptimizer.betas;
    const scalar = (value: number): Numbers => ({ data: Float32Array.of(value), dimensions: [] });
    const feeds: Record<string, Numbers> = {
      [headStepNames.input]: { data: input, dimensions: [tokens, this.dimensions.first[1]] },
      [headStepNames.labels]: { data: labels, dimensions: [kvHeads, tokens] },
      [headStepNames.learningRate]: scalar(rate),
      [headStepNames.firstCorrection]: scalar(1 / (1 - firstBeta ** this.doneSteps)),
      [headStepNames.secondCorrection]: scalar(1 / Math.sqrt(1 - secondBeta ** this.doneSteps)),
    };
    const wanted: Record<string, Numbers | undefined> = {
      [headStepNames.regression]: undefined,
      [headStepNames.smoothness]: undefined,
      [headStepNames.scores]: undefined,
    };
    for (const matrix of headMatrices) {
      const dimensions = this.dimensions[matrix];
      for (const [name, part] of partsOf(matrix)) {
        feeds[name] = { data: state[matrix][part], dimensions };
        wanted[headStepNames.after(name)] = { data: this.spare[matrix][part], dimensions };
      }
      if (withGradients) wanted[headStepNames.gradient(matrix)] = undefined;
    }
    const output = await this.session.run(feeds, wanted);
    for (const matrix of headMatrices) {
      const before = { ...state[matrix] };
      Object.assign(state[matrix], this.spare[matrix]);
      Object.assign(this.spare[matrix], before);
    }
    return output;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/** The inputs of the step's graph that hold a matrix and its moments. */
function partsOf(matrix: HeadMatrix): readonly (readonly [name: string, part: keyof MatrixState])[] {
  return [
    [headStepNames.parameter(matrix), 'weight'],
    [headStepNames.mean(matrix), 'mean'],
    [headStepNames.square(matrix), 'square'],
  ];
}
