import type { HeadInput, ProcessorPrecision } from '../contract/words.js';
import { DecoderSession, type Pass, type PassResult } from '../backends/processor/decoder-session.js';
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
  /** What passes give out for the heads to read. */
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
    private readonly inputs: readonly HeadInput[],
  ) {}

  /**
   * @param use what is read of the weights themselves before their files are closed
   * @throws LocretError model-unsupported, model-corrupt, disk-full, engine-failed
   */
  static async open(options: FrozenModelOptions, use: (checkpoint: Checkpoint) => void): Promise<FrozenModel> {
    const { precision, threads, cacheFolder, headInputs, capacity } = options;
    const checkpoint = openModelSource(options.model).openWeights();
    try {
      const { shape } = checkpoint;
      const session = await DecoderSession.open({
        checkpoint,
        heads: undefined,
        precision,
        threads,
        chunk,
        cacheFolder,
        headInputs,
      });
      use(checkpoint);
      const plan = { budget: Infinity, chunk, stabilizers: 0, pinned: 0, capacity };
      return new FrozenModel(shape, session, new DecoderState(session, shape, plan, false), headInputs);
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
   * @returns per layer what the heads read of it, `[tokens, inputs]`
   */
  async readText(
    tokens: Int32Array,
    onChunk: () => void,
  ): Promise<Readonly<Record<HeadInput, readonly Float32Array[]>>> {
    this.state.clear();
    const gathered = (input: HeadInput): Float32Array[] => {
      const layers = this.inputs.includes(input) ? this.shape.layers : [];
      const width = headInputWidth(this.shape, input);
      return layers.map(() => new Float32Array(tokens.length * width));
    };
    const all = { qkv: gathered('qkv'), hidden: gathered('hidden') };
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      onChunk();
      const { headInputs } = await this.pass(tokens.subarray(begin, begin + chunk), false);
      for (const input of this.inputs) {
        const offset = begin * headInputWidth(this.shape, input);
        for (const [layer, rows] of headInputs[input].entries()) all[input][layer]?.set(rows, offset);
      }
    }
    return all;
  }

  /** Reads tokens behind the others, uses what they look at, and takes them back. */
  async readBehind<Result>(
    use: (read: (tokens: Int32Array) => Promise<ObservedPass>) => Promise<Result>,
  ): Promise<Result> {
    const mark = this.state.mark();
    try {
      return await use(async (tokens) => ({ ...(await this.pass(tokens, true)), tokens: tokens.length }));
    } finally {
      this.state.rewind(mark);
    }
  }

  private pass(tokens: Int32Array, queries: boolean): Promise<PassResult> {
    const logitRows: Pass['logitRows'] = [tokens.length - 1];
    return this.state.pass({ tokens, logitRows, queries });
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}
