import type { HeadInput } from '../contract/words.js';
import type { LayerNorm, ModelShape } from './shape.js';
import type { WeightEncoding } from './weight-encoding.js';

/** The linear layers of a decoder layer, under the same names for every family (fused projections come apart). */
export type LayerLinear = 'query' | 'key' | 'value' | 'attentionOutput' | 'gate' | 'up' | 'down';

/** A matrix of weights, read from disk each time it is asked for, so that no more than one is in memory. */
export interface WeightMatrix {
  /** Where it came from, for error messages: file and tensor name. */
  readonly origin: string;
  readonly rows: number;
  readonly columns: number;
  /** How its numbers are stored. Every row is whole blocks. */
  readonly encoding: WeightEncoding;
  /** All rows in row-major order (`[out, in]`), decoded to float32. */
  read(): Float32Array;
  /** Some rows as they are stored, `rows * columns` numbers. */
  readonly readRows: (firstRow: number, rows: number) => Uint8Array;
}

/** The weights of a model in one form for all families. Shapes were checked against the {@link ModelShape}. */
export interface Checkpoint {
  /** Where it lies, for error messages. */
  readonly place: string;
  readonly shape: ModelShape;
  /** Changes whenever a file of the weights or of their shape changes: names, sizes, modification times and headers, hashed. */
  readonly fingerprint: string;
  /** Bytes of weights as stored. */
  readonly storedBytes: number;
  /** How most weights are stored, by bytes. */
  readonly encoding: WeightEncoding;
  /** `[vocabulary, hidden]`. */
  readonly embedding: WeightMatrix;
  /** `[vocabulary, hidden]`; the embedding itself when tied. */
  readonly languageHead: WeightMatrix;
  /** `[hidden]` */
  finalNorm(): Float32Array;
  linear(layer: number, which: LayerLinear): WeightMatrix;
  /** Bias of a linear layer, `[out]`, or undefined when the family has none. */
  bias(layer: number, which: LayerLinear): Float32Array | undefined;
  norm(layer: number, which: LayerNorm): Float32Array;
  close(): void;
}

/** Numbers that a retaining head reads of a token. */
export function headInputWidth(shape: ModelShape, input: HeadInput): number {
  return input === 'hidden' ? shape.hidden : (shape.heads + 2 * shape.kvHeads) * shape.headDim;
}

/** Locret's retaining heads: for each layer `scores = fc2(SiLU(fc1(input)))`, without biases (arXiv 2410.01805, 3.2). */
export interface RetainingHeads {
  readonly file: string;
  readonly fingerprint: string;
  readonly input: HeadInput;
  /** Width between the two linear layers (d_R). */
  readonly width: number;
  /** `[width, headInputWidth]` */
  first(layer: number): Float32Array;
  /** `[kvHeads, width]` */
  second(layer: number): Float32Array;
}
