import { InferenceSession, Tensor } from 'onnxruntime-node';
import { LocretError, messageOf } from '../../errors.js';
import { forbidTelemetry } from '../../engine/telemetry.js';

/** Numbers and their dimensions, as a graph takes and gives them. */
export interface Numbers {
  readonly data: Float32Array;
  readonly dimensions: readonly number[];
}

/** Outputs by name: an array that is written into, or undefined for a fresh one. */
type Wanted = Readonly<Record<string, Numbers | undefined>>;

function failure(doing: string, error: unknown): LocretError {
  return new LocretError(
    'engine-failed',
    `onnxruntime failed while ${doing}: ${messageOf(error)}`,
    'Start the training again; it goes on at its last checkpoint. If it happens again, report it with this message.',
    { cause: error },
  );
}

function tensorOf({ data, dimensions }: Numbers): Tensor {
  return new Tensor('float32', data, dimensions);
}

/** A graph of float32 numbers in onnxruntime on the CPU. */
export class GraphSession {
  private constructor(
    private readonly session: InferenceSession,
    private readonly purpose: string,
  ) {}

  /**
   * @param purpose what the graph does, for error messages
   * @throws LocretError engine-failed
   */
  static async open(graph: Uint8Array, purpose: string, threads: number): Promise<GraphSession> {
    forbidTelemetry();
    try {
      const session = await InferenceSession.create(graph, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        logSeverityLevel: 3,
      });
      return new GraphSession(session, purpose);
    } catch (error) {
      throw failure(`preparing ${purpose}`, error);
    }
  }

  /**
   * @param integers inputs of int64
   * @throws LocretError engine-failed
   */
  async run(
    inputs: Readonly<Record<string, Numbers>>,
    wanted: Wanted,
    integers: Readonly<Record<string, readonly number[]>> = {},
  ): Promise<(name: string) => Float32Array> {
    const feeds: Record<string, Tensor> = {};
    for (const [name, numbers] of Object.entries(inputs)) feeds[name] = tensorOf(numbers);
    for (const [name, list] of Object.entries(integers))
      feeds[name] = new Tensor('int64', BigInt64Array.from(list, BigInt), [list.length]);
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
