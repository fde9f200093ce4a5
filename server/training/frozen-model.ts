import type { HeadInput, ProcessorPrecision } from '../contract/words.js';
import { DecoderSession, type PassResult } from '../backends/processor/decoder-session.js';
import { DecoderState } from '../backends/processor/decoder-state.js';
import type { HeadUnits } from '../eviction/policy.js';
import { headInputWidth, type Checkpoint } from '../model/checkpoint.js';
import { openModelSource } from '../model/open-model-source.js';
import type { ModelShape } from '../model/shape.js';

/** Tokens of one pass while a text is read. */
const chunk = 512;

export interface FrozenModelOptions {
  /** Where the model lies. */
  readonly model: string;
  readonly precision: ProcessorPrecision;
  readonly threads: number;
  /** Where packed weights are kept. */
  readonly cacheFolder: string;
  /** What passes can give out for the heads to read. */
  readonly headInputs: readonly HeadInput[];
  /** Slots that a sample takes. */
  readonly capacity: number;
}

/** What later tokens look at, in one pass. */
export interface ObservedPass extends Pick<PassResult, 'logits' | 'queries' | 'headInputs'> {
  /** Tokens of the pass. */
  readonly tokens: number;
}

/** The model whose heads are trained, with a cache that loses nothing; its own weights stay as they are. */
export class FrozenModel {
  private constructor(
    readonly shape: ModelShape,
    private readonly session: DecoderSession,
    private readonly state: DecoderState,
    /** What is given out of tokens behind the text. */
    private readonly behindInputs: readonly HeadInput[],
  ) {}

  /**
   * @param use what is read of the weights themselves before their files are closed
   * @throws LocretError model-unsupported, model-corrupt, disk-full, engine-failed
   */
  static async open(
    options: FrozenModelOptions,
    use: (checkpoint: Checkpoint) => Promise<void> = () => Promise.resolve(),
  ): Promise<FrozenModel> {
    const { precision, threads, cacheFolder, headInputs, capacity } = options;
    const checkpoint = openModelSource(options.model).openWeights();
    try {
      const { shape } = checkpoint;
      await use(checkpoint);
      const session = await DecoderSession.open({
        checkpoint,
        heads: undefined,
        precision,
        threads,
        chunk,
        cacheFolder,
        headInputs,
      });
      const behindInputs = headInputs.filter((input) => input === 'hidden');
      const plan = { budget: Infinity, chunk, stabilizers: 0, pinned: 0, capacity };
      return new FrozenModel(shape, session, new DecoderState(session, shape, plan, false), behindInputs);
    } finally {
      checkpoint.close();
    }
  }

  /** Units in the cache. */
  get length(): number {
    return this.state.cache.length;
  }

  /** The units of one KV head. */
  units(layer: number, kvHead: number): HeadUnits {
    return this.state.cache.head(layer, kvHead);
  }

  /**
   * Reads a text into the empty cache.
   * @param input one of those that the model was opened with
   * @returns per layer what the heads read of it, `[tokens, inputs]`
   */
  async readText(tokens: Int32Array, input: HeadInput, onChunk: () => void): Promise<readonly Float32Array[]> {
    this.state.clear();
    const width = headInputWidth(this.shape, input);
    const all = this.shape.layers.map(() => new Float32Array(tokens.length * width));
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      onChunk();
      const { headInputs } = await this.pass(tokens.subarray(begin, begin + chunk), false, [input]);
      for (const [layer, rows] of headInputs[input].entries()) all[layer]?.set(rows, begin * width);
    }
    return all;
  }

  /** Reads tokens behind the others, uses what they look at, and takes them back. */
  async readBehind<Result>(
    use: (read: (tokens: Int32Array) => Promise<ObservedPass>) => Promise<Result>,
  ): Promise<Result> {
    const mark = this.state.mark();
    try {
      return await use(async (tokens) => ({
        ...(await this.pass(tokens, true, this.behindInputs)),
        tokens: tokens.length,
      }));
    } finally {
      this.state.rewind(mark);
    }
  }

  private pass(tokens: Int32Array, queries: boolean, headInputs: readonly HeadInput[]): Promise<PassResult> {
    return this.state.pass({ tokens, logitRows: [tokens.length - 1], queries, headInputs });
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}
