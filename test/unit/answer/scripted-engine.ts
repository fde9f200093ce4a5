import type {
  AttentionMass,
  CachePlan,
  Engine,
  ExtendOptions,
  GenerateOptions,
  GenerateResult,
  Mark,
} from '../../../server/engine/engine.js';
import { cancelled, LocretError } from '../../../server/errors.js';
import { equalLayers, layerNorms, type ModelShape } from '../../../server/model/shape.js';
import { characterTokenizer } from './character-tokenizer.js';

export const shape: ModelShape = {
  family: 'llama',
  layers: equalLayers(1, {
    window: undefined,
    rope: { theta: 10000, rotaryDim: 8, scaling: { kind: 'none' } },
    norms: layerNorms(false),
    activation: 'silu',
  }),
  hidden: 8,
  heads: 1,
  kvHeads: 1,
  headDim: 8,
  feedForward: 8,
  vocabulary: 8,
  normEpsilon: 1e-6,
  maxPositions: 1_000_000,
  tiedEmbeddings: true,
  queryKeyValueBias: false,
  outputBias: false,
  feedForwardBias: false,
};

/**
 * An engine without a model: it keeps the tokens it was given, answers what the test says, and pays attention where the
 * test says. It refuses what the real one refuses: more than its capacity, a mark that is not its own.
 */
export class ScriptedEngine implements Engine {
  /** Tokens in the cache. */
  cache: number[] = [];
  /** Every text it was given while a question was asked. */
  readonly prompts: string[] = [];
  readonly generations: GenerateOptions[] = [];
  answer: string | ((prompt: string) => string) = 'An answer.';
  /** Attention that a text pays to the tokens before it. */
  attend: (prompt: string) => Map<number, number> = () => new Map();
  failure: Error | undefined;
  private readonly tokenizer = characterTokenizer();

  constructor(private readonly plan: CachePlan) {}

  get description(): Engine['description'] {
    return {
      backend: 'cpu',
      shape,
      plan: this.plan,
      policy: 'sink-recent',
      precision: 'float32',
      fingerprint: 'scripted',
      threads: 1,
    };
  }

  async extend(tokens: readonly number[] | Int32Array, options: ExtendOptions) {
    await Promise.resolve();
    if (options.signal?.aborted === true) throw cancelled('Reading');
    if (this.cache.length + tokens.length > this.plan.capacity) {
      throw new LocretError('invalid-argument', 'The capacity does not suffice.', 'Give fewer tokens.');
    }
    const prompt = this.tokenizer.decode([...tokens]);
    this.prompts.push(prompt);
    this.cache.push(...tokens);
    const attention = options.observe === undefined ? {} : { attention: this.massOf(this.attend(prompt)) };
    return { logits: new Float32Array(0), ...attention };
  }

  async generate(options: GenerateOptions): Promise<GenerateResult> {
    await Promise.resolve();
    this.generations.push(options);
    if (this.failure !== undefined) throw this.failure;
    const prompt = this.prompts.at(-1) ?? '';
    const text = typeof this.answer === 'string' ? this.answer : this.answer(prompt);
    const wanted = this.tokenizer.encode(text);
    const tokens: number[] = [];
    let end: GenerateResult['end'] = 'stop-token';
    for (const token of wanted) {
      if (tokens.length === options.maxTokens) {
        end = 'token-limit';
        break;
      }
      if (options.signal?.aborted === true) throw cancelled('Answering');
      tokens.push(token);
      if (options.onToken?.(token) === false) {
        end = 'stopped';
        break;
      }
    }
    this.cache.push(...tokens.slice(0, -1));
    return { tokens, end, ...(options.observe === true ? { attention: this.massOf(this.attend(text)) } : {}) };
  }

  mark(): Promise<Mark> {
    return Promise.resolve({ length: this.cache.length, nextTokenIndex: this.cache.length, evictions: 0 });
  }

  rewind(mark: Mark): Promise<void> {
    if (mark.length > this.cache.length) throw new LocretError('invalid-argument', 'Not a mark of this cache.', '');
    this.cache.length = mark.length;
    return Promise.resolve();
  }

  forget(): Promise<number> {
    return Promise.resolve(0);
  }

  reset(): Promise<void> {
    this.cache = [];
    return Promise.resolve();
  }

  exportLayer(): Promise<never> {
    return Promise.reject(new Error('no layers'));
  }

  importLayers(): Promise<never> {
    return Promise.reject(new Error('no layers'));
  }

  keptUnits(): Promise<never> {
    return Promise.reject(new Error('no layers'));
  }

  stats() {
    return Promise.resolve({
      length: this.cache.length,
      nextTokenIndex: this.cache.length,
      evictions: 0,
      cacheBytes: 4096,
      weightBytes: 8192,
      seconds: { model: 0, eviction: 0 },
    });
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }

  /** One unit of mass spread evenly, plus what the test wants. */
  private massOf(extra: Map<number, number>): AttentionMass {
    const tokenIndices = Int32Array.from(this.cache.keys());
    const mass = Float32Array.from(tokenIndices, (token) => 1 + (extra.get(token) ?? 0));
    const total = mass.reduce((sum, value) => sum + value, 0);
    return { tokenIndices, mass: mass.map((value) => value / total) };
  }
}
