import type { ProcessorPrecision } from '../server/contract/words.js';

/** The sizes of a model that is filled with random weights: speed does not depend on their values. */
export interface BenchShape {
  readonly name: string;
  readonly family: 'llama' | 'qwen2';
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  /** Whether query, key and value projections have biases. */
  readonly bias: boolean;
  /** Width of the retaining heads (d_R). */
  readonly retainingWidth: number;
  readonly maxPositions: number;
}

/** The bundled model's kind: about 30 million weights. */
const nano: BenchShape = {
  name: 'nano',
  family: 'llama',
  layers: 12,
  hidden: 384,
  heads: 6,
  kvHeads: 2,
  headDim: 64,
  feedForward: 1024,
  vocabulary: 16384,
  ropeTheta: 10000,
  normEpsilon: 1e-6,
  bias: false,
  retainingWidth: 256,
  maxPositions: 32768,
};

/** Qwen2.5-Coder-0.5B. */
const qwenCoderHalfBillion: BenchShape = {
  name: 'qwen2.5-coder-0.5b',
  family: 'qwen2',
  layers: 24,
  hidden: 896,
  heads: 14,
  kvHeads: 2,
  headDim: 64,
  feedForward: 4864,
  vocabulary: 151936,
  ropeTheta: 1e6,
  normEpsilon: 1e-6,
  bias: true,
  retainingWidth: 1024,
  maxPositions: 32768,
};

export const shapes: readonly BenchShape[] = [nano, qwenCoderHalfBillion];

export function shapeByName(name: string): BenchShape {
  const shape = shapes.find((one) => one.name === name);
  if (shape === undefined) throw new Error(`no shape "${name}"; there are ${shapes.map((one) => one.name).join(', ')}`);
  return shape;
}

export type Bits = Exclude<ProcessorPrecision, 'float32'>;

export function parseBits(text: string): Bits {
  if (text === 'int8' || text === 'int4') return text;
  throw new Error(`no precision "${text}"; there are int8 and int4`);
}

/** A matrix of the model: `[rows, columns]` = `[out, in]`. */
export interface MatrixShape {
  readonly rows: number;
  readonly columns: number;
}

/** The matrices of one decoder layer under their Hugging Face names. */
export function layerMatrices(shape: BenchShape): ReadonlyMap<string, MatrixShape> {
  const { hidden, feedForward } = shape;
  const queries = shape.heads * shape.headDim;
  const keys = shape.kvHeads * shape.headDim;
  return new Map([
    ['self_attn.q_proj', { rows: queries, columns: hidden }],
    ['self_attn.k_proj', { rows: keys, columns: hidden }],
    ['self_attn.v_proj', { rows: keys, columns: hidden }],
    ['self_attn.o_proj', { rows: hidden, columns: queries }],
    ['mlp.gate_proj', { rows: feedForward, columns: hidden }],
    ['mlp.up_proj', { rows: feedForward, columns: hidden }],
    ['mlp.down_proj', { rows: hidden, columns: feedForward }],
  ]);
}
