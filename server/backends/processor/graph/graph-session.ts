import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { LocretError, messageOf } from '../../../errors.js';
import { forbidTelemetry } from '../../../engine/telemetry.js';
import { int64 } from './int64.js';

/** Numbers and their dimensions, as a graph takes and gives them. */
export interface Numbers {
  readonly data: Float32Array;
  readonly dimensions: readonly number[];
}

/** Outputs by name: an array that is written into, or undefined for a fresh one. */
type Wanted = Readonly<Record<string, Numbers | undefined>>;

/** What a graph is run for, as an error tells it. */
export interface GraphPurpose {
  /** Behind "failed while". */
  readonly doing: string;
  readonly remedy: string;
}

function failure({ doing, remedy }: GraphPurpose, error: unknown): LocretError {
  return new LocretError('engine-failed', `onnxruntime failed while ${doing}: ${messageOf(error)}`, remedy, {
    cause: error,
  });
}

/** A graph of float32 numbers in onnxruntime on the CPU. */
export class GraphSession {
  private constructor(
    private readonly session: InferenceSession,
    private readonly OrtTensor: typeof Tensor,
    private readonly purpose: GraphPurpose,
  ) {}

  /** @throws LocretError engine-failed */
  static async open(graph: Uint8Array, purpose: GraphPurpose, threads: number): Promise<GraphSession> {
    forbidTelemetry();
    // Loaded here: who only plans where a model runs does not need the library.
    const onnxruntime = await import('onnxruntime-node');
    try {
      const session = await onnxruntime.InferenceSession.create(graph, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
      return new GraphSession(session, onnxruntime.Tensor, purpose);
    } catch (error) {
      throw failure(purpose, error);
    }
  }

  /**
   * Runs the graph; arrays are read in place.
   * @param integers inputs of int64
   * @throws LocretError engine-failed
   */
  async run(
    inputs: Readonly<Record<string, Numbers>>,
    wanted: Wanted,
    integers: Readonly<Record<string, ArrayLike<number>>> = {},
  ): Promise<(name: string) => Float32Array> {
    const tensorOf = ({ data, dimensions }: Numbers): Tensor => new this.OrtTensor('float32', data, dimensions);
    const feeds: Record<string, Tensor> = {};
    for (const [name, numbers] of Object.entries(inputs)) feeds[name] = tensorOf(numbers);
    for (const [name, list] of Object.entries(integers))
      feeds[name] = new this.OrtTensor('int64', int64(list), [list.length]);
    const fetches: Record<string, Tensor | null> = {};
    for (const [name, target] of Object.entries(wanted)) fetches[name] = target === undefined ? null : tensorOf(target);
    let outputs: InferenceSession.ReturnType;
    try {
      outputs = await this.session.run(feeds, fetches);
    } catch (error) {
      throw failure(this.purpose, error);
    }
    return (name) => {
      const data = outputs[name]?.data;
      if (data instanceof Float32Array) return data;
      throw failure(this.purpose, new Error(`no float32 output ${name}`));
    };
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
