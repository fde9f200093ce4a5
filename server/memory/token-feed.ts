import type { ChunkReport, Engine } from '../engine/engine.js';

/** Chunks handed to the engine at once. */
const chunksPerCall = 4;

/**
 * Hands a stream of tokens to an engine in whole chunks while more are being tokenized. The end of the stream is held
 * back, because it is treated differently: the last chunk is evicted without stabilizers, and the local tokens behind it
 * are not evicted at all (Algorithm 1 of arXiv 2410.01805).
 */
export class TokenFeed {
  private readonly waiting: Int32Array;
  private count = 0;
  private running: Promise<unknown> = Promise.resolve();
  private pushed = 0;

  /**
   * @param local last tokens that are appended without eviction
   * @param firstTokenIndex index of the first token that will be pushed
   */
  constructor(
    private readonly engine: Engine,
    private readonly local: number,
    private readonly firstTokenIndex: number,
    private readonly onChunk: (report: ChunkReport) => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.waiting = new Int32Array(local + (chunksPerCall + 1) * engine.description.plan.chunk);
  }

  /** Index of the token that is pushed next. */
  get nextTokenIndex(): number {
    return this.firstTokenIndex + this.pushed;
  }

  async push(tokens: ArrayLike<number>): Promise<void> {
    const { waiting } = this;
    for (let done = 0; done < tokens.length;) {
      const some = Math.min(tokens.length - done, waiting.length - this.count);
      for (let i = 0; i < some; i++) waiting[this.count + i] = tokens[done + i] ?? 0;
      this.count += some;
      done += some;
      this.pushed += some;
      if (this.count === waiting.length) await this.extend(chunksPerCall * this.engine.description.plan.chunk);
    }
  }

  /** Reads what is left: the last chunk, and the local tokens. */
  async finish(): Promise<void> {
    const main = Math.max(0, this.count - this.local);
    await this.running;
    const read = async (begin: number, end: number, evict: 'final' | 'none'): Promise<void> => {
      if (end === begin) return;
      await this.engine.extend(this.waiting.slice(begin, end), this.options(evict));
    };
    await read(0, main, 'final');
    await read(main, this.count, 'none');
    this.count = 0;
  }

  /** Waits until nothing runs; errors were or will be thrown by the call that pushed. */
  async settle(): Promise<void> {
    await this.running.catch(() => undefined);
  }

  private async extend(tokens: number): Promise<void> {
    await this.running;
    const part = this.waiting.slice(0, tokens);
    this.waiting.copyWithin(0, tokens, this.count);
    this.count -= tokens;
    this.running = this.engine.extend(part, this.options('between-chunks'));
    // Whoever waits for it next gets the error; until then it is not unhandled.
    this.running.catch(() => undefined);
  }

  private options(evict: 'between-chunks' | 'final' | 'none') {
    return { evict, onChunk: this.onChunk, ...(this.signal === undefined ? {} : { signal: this.signal }) };
  }
}
