import { GraphBuilder, type Value } from '../../backends/processor/graph/graph.js';

/** Names of the training step's inputs and outputs; it trains one layer's head. */
export const headStepNames = {
  /** float32 `[tokens, inputs]`: what the head reads. */
  input: 'input',
  /** float32 `[kvHeads, tokens]`: what it is to say. */
  labels: 'labels',
  /** float32 scalars: the step's learning rate, and what makes up for moments that began at zero. */
  learningRate: 'learning_rate',
  firstCorrection: 'first_correction',
  secondCorrection: 'second_correction',
  /** Parameters and their moments, before and after the step. */
  parameter: (matrix: HeadMatrix): Value => `${matrix}.weight`,
  mean: (matrix: HeadMatrix): Value => `${matrix}.mean`,
  square: (matrix: HeadMatrix): Value => `${matrix}.square`,
  after: (name: Value): Value => `${name}.after`,
  /** float32, of the parameter's shape, before clipping. */
  gradient: (matrix: HeadMatrix): Value => `${matrix}.gradient`,
  /** float32 `[tokens, kvHeads]` */
  scores: 'scores',
  /** float32 scalars: SmoothL1 and the squared difference of neighbours, both means over this layer. */
  regression: 'regression',
  smoothness: 'smoothness',
} as const;

/** The two linear layers of a head. */
export type HeadMatrix = 'first' | 'second';
export const headMatrices: readonly HeadMatrix[] = ['first', 'second'];

/** Everything of the optimizer that stays the same from step to step. */
export interface HeadStepConstants {
  /** Layers of the model: the regression is a mean over all of their heads. */
  readonly layers: number;
  readonly kvHeads: number;
  readonly width: number;
  readonly inputs: number;
  /** Weight of the neighbours' squared difference, which is summed over layers. */
  readonly smoothness: number;
  /** Gradients are clipped to this size, number by number. */
  readonly clip: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Scores of a head and what leads to them. */
interface Forward {
  readonly scores: Value;
  readonly before: Value;
  readonly gate: Value;
  readonly activated: Value;
}

/** scores = second · SiLU(first · input) */
function addForward(graph: GraphBuilder): Forward {
  const { input, parameter, scores } = headStepNames;
  const before = graph.contributed('FusedMatMul', [input, parameter('first')], { transB: 1 });
  const gate = graph.operator('Sigmoid', [before]);
  const activated = graph.operator('Mul', [before, gate]);
  graph.contributed('FusedMatMul', [activated, parameter('second')], { transB: 1 }, scores);
  return { scores, before, gate, activated };
}

function declareForward(graph: GraphBuilder, { kvHeads, width, inputs }: HeadShape): void {
  graph.input(headStepNames.input, 'float32', ['tokens', inputs]);
  graph.input(headStepNames.parameter('first'), 'float32', [width, inputs]);
  graph.input(headStepNames.parameter('second'), 'float32', [kvHeads, width]);
  graph.output(headStepNames.scores, 'float32', ['tokens', kvHeads]);
}

type HeadShape = Pick<HeadStepConstants, 'kvHeads' | 'width' | 'inputs'>;

/** A head's scores of some tokens, without training. */
export function buildHeadScoreGraph(shape: HeadShape): Uint8Array {
  const graph = new GraphBuilder('head_scores');
  declareForward(graph, shape);
  addForward(graph);
  return graph.writeModel();
}

/** The training step of one layer's head. */
class HeadStepGraph {
  private readonly graph = new GraphBuilder('head_step');

  constructor(private readonly constants: HeadStepConstants) {}

  write(): Uint8Array {
    const { graph, constants } = this;
    const names = headStepNames;
    declareForward(graph, constants);
    graph.input(names.labels, 'float32', [constants.kvHeads, 'tokens']);
    for (const scalar of [names.learningRate, names.firstCorrection, names.secondCorrection])
      graph.input(scalar, 'float32', []);

    const { scores, before, gate, activated } = addForward(graph);
    const scoreGradient = this.loss(scores);
    const second = graph.contributed(
      'FusedMatMul',
      [scoreGradient, activated],
      { transA: 1 },
      names.gradient('second'),
    );
    const activatedGradient = graph.operator('MatMul', [scoreGradient, names.parameter('second')]);
    // d SiLU(x) / dx = σ(x) · (1 + x · (1 - σ(x)))
    const one = graph.float('one', 1);
    const slope = graph.operator('Mul', [
      gate,
      graph.operator('Add', [one, graph.operator('Mul', [before, graph.operator('Sub', [one, gate])])]),
    ]);
    const beforeGradient = graph.operator('Mul', [activatedGradient, slope]);
    const first = graph.contributed(
      'FusedMatMul',
      [beforeGradient, names.input],
      { transA: 1 },
      names.gradient('first'),
    );
    this.update('first', first, [constants.width, constants.inputs]);
    this.update('second', second, [constants.kvHeads, constants.width]);
    return graph.writeModel();
  }

  private times(value: Value, name: string, factor: number): Value {
    return this.graph.operator('Mul', [value, this.graph.float(name, factor)]);
  }

  /** Writes the two losses; returns the gradient of the scores, `[tokens, kvHeads]`. */
  private loss(scores: Value): Value {
    const { graph, constants } = this;
    const { labels, regression, smoothness } = headStepNames;
    const one = graph.float('one', 1);
    const difference = graph.operator('Sub', [scores, graph.operator('Transpose', [labels], { perm: [1, 0] })]);
    // SmoothL1 with beta 1: with c = clip(d, -1, 1) it is c · d - c² / 2, and its slope is c.
    const clipped = graph.operator('Clip', [difference, graph.float('minusOne', -1), one]);
    const half = this.times(graph.operator('Mul', [clipped, clipped]), 'half', 0.5);
    const losses = graph.operator('Sub', [graph.operator('Mul', [clipped, difference]), half]);
    graph.operator('ReduceMean', [losses], { keepdims: 0 }, regression);

    const begin = graph.integers('begin', [0]);
    const next = graph.integers('next', [1]);
    const last = graph.integers('last', [-1]);
    const end = graph.integers('end', [2 ** 31]);
    const axis = graph.integers('tokenAxis', [0]);
    const steps = graph.operator('Sub', [
      graph.operator('Slice', [scores, next, end, axis]),
      graph.operator('Slice', [scores, begin, last, axis]),
    ]);
    graph.operator('ReduceMean', [graph.operator('Mul', [steps, steps])], { keepdims: 0 }, smoothness);

    const nothing = graph.constant('noStep', 'float32', [1, constants.kvHeads], new Float32Array(constants.kvHeads));
    const stepGradient = graph.operator('Sub', [
      graph.operator('Concat', [nothing, steps], { axis: 0 }),
      graph.operator('Concat', [steps, nothing], { axis: 0 }),
    ]);
    const count = (value: Value): Value => graph.operator('Cast', [graph.operator('Size', [value])], { to: 1 });
    const share = this.times(count(scores), 'layers', constants.layers);
    const gradient = graph.operator('Add', [
      graph.operator('Div', [clipped, share]),
      graph.operator('Div', [this.times(stepGradient, 'doubleSmoothness', 2 * constants.smoothness), count(steps)]),
    ]);
    graph.output(regression, 'float32', []);
    graph.output(smoothness, 'float32', []);
    return gradient;
  }

  /** One step of AdamW (arXiv 1711.05101) with the gradient clipped by value. */
  private update(matrix: HeadMatrix, gradient: Value, shape: readonly [number, number]): void {
    const { graph, constants } = this;
    const { learningRate, firstCorrection, secondCorrection, after } = headStepNames;
    const [parameter, mean, square] = [
      headStepNames.parameter(matrix),
      headStepNames.mean(matrix),
      headStepNames.square(matrix),
    ];
    for (const moment of [mean, square]) graph.input(moment, 'float32', shape);
    const [firstBeta, secondBeta] = constants.betas;
    const clipped = graph.operator('Clip', [
      gradient,
      graph.float('least', -constants.clip),
      graph.float('most', constants.clip),
    ]);
    graph.operator(
      'Add',
      [this.times(mean, 'firstBeta', firstBeta), this.times(clipped, 'firstRest', 1 - firstBeta)],
      {},
      after(mean),
    );
    graph.operator(
      'Add',
      [
        this.times(square, 'secondBeta', secondBeta),
        this.times(graph.operator('Mul', [clipped, clipped]), 'secondRest', 1 - secondBeta),
      ],
      {},
      after(square),
    );
    const decay = graph.operator('Sub', [
      graph.float('one', 1),
      this.times(learningRate, 'weightDecay', constants.weightDecay),
    ]);
    const size = graph.operator('Mul', [graph.operator('Sqrt', [after(square)]), secondCorrection]);
    const direction = graph.operator('Div', [
      graph.operator('Mul', [after(mean), firstCorrection]),
      graph.operator('Add', [size, graph.float('epsilon', constants.epsilon)]),
    ]);
    graph.operator(
      'Sub',
      [graph.operator('Mul', [parameter, decay]), graph.operator('Mul', [direction, learningRate])],
      {},
      after(parameter),
    );
    for (const output of [after(parameter), after(mean), after(square), gradient])
      graph.output(output, 'float32', shape);
  }
}

/**
 * Forward pass, gradients and AdamW update of one layer's retaining head, as published (arXiv 2410.01805, section 3.3):
 * SmoothL1 as a mean over tokens, layers and KV heads, plus `smoothness` times the mean squared difference of
 * neighbouring scores, summed over layers.
 */
export function buildHeadStepGraph(constants: HeadStepConstants): Uint8Array {
  return new HeadStepGraph(constants).write();
}
