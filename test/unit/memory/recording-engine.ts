import type { CachePlan, ExtendOptions } from '../../../server/engine/engine.js';
import { throwIfCancelled } from '../../../server/errors.js';
import { ScriptedEngine } from '../answer/scripted-engine.js';

/** An engine without a model that takes down what it is given to read, in passes of a chunk as the real one does. */
export class RecordingEngine extends ScriptedEngine {
  readonly calls: {
    readonly tokens: readonly number[];
    readonly evict: ExtendOptions['evict'];
    /** One number per token. */
    readonly favoured: readonly number[];
  }[] = [];
  /** Called before each pass. */
  beforePass: (tokensRead: number) => void | Promise<void> = () => undefined;
  private tokensRead = 0;

  constructor(plan: Pick<CachePlan, 'chunk'>) {
    super({ budget: 1000, stabilizers: 0, pinned: 0, capacity: Infinity, ...plan });
  }

  override async extend(tokens: readonly number[] | Int32Array, options: ExtendOptions) {
    const favoured = [...(options.structure ?? new Uint8Array(tokens.length))];
    this.calls.push({ tokens: [...tokens], evict: options.evict, favoured });
    const { chunk } = this.description.plan;
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      await this.beforePass(this.tokensRead);
      throwIfCancelled(options.signal, 'Reading tokens');
      const read = Math.min(chunk, tokens.length - begin);
      this.tokensRead += read;
      const milliseconds = { model: 0, eviction: 0 };
      options.onChunk?.({ begin: this.tokensRead - read, end: this.tokensRead, length: 0, milliseconds });
    }
    return { logits: new Float32Array(0) };
  }

  override reset(): Promise<void> {
    this.tokensRead = 0;
    this.calls.length = 0;
    return Promise.resolve();
  }

  /** The tokens whose units stay before others, in order. */
  get favoured(): number[] {
    return this.calls.flatMap(({ tokens, favoured }) => tokens.filter((_, i) => favoured[i] === 1));
  }

  /** Everything that was read, in order. */
  get tokens(): number[] {
    return this.calls.flatMap(({ tokens }) => [...tokens]);
  }
}
