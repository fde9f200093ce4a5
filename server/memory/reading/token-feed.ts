import type { ChunkReport, Engine } from '../../engine/engine.js';

/** Chunks handed to the engine at once. */
const chunksPerCall = 4;

export interface TokenFeedOptions {
  readonly engine: Engine;
  /** Last tokens, which are appended without eviction. */
  readonly local: number;
  /** Index of the first token that will be pushed. */
  readonly firstTokenIndex: number;
  readonly onChunk: (report: ChunkReport) => void;
  /** Runs between two calls, while the engine rests at a chunk's end and more tokens will follow. */
  readonly betweenCalls?: (() => Promise<void>) | undefined;
  /** Ends reading at a chunk's end, up to the last chunk; the local tokens behind it are read in any case. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Hands a stream of tokens to an engine in whole chunks while more are being tokenized. The end of the stream is held
 * back, because it is treated differently: the last chunk is evicted without stabilizers, and the local tokens behind it
 * are not evicted at all (Algorithm 1 of arXiv 2410.01805).
 */
export class TokenFeed {
  private readonly waiting: Int32Array;
  /** Of each waiting token, whether its units stay before others. */
  private readonly favoured: Uint8Array;
  private count = 0;
  private running: Promise<unknown> = Promise.resolve();
  private pushed = 0;
  /** Index of the first token of the stream. */
  private first: number;
  /** Tokens that come next and that the engine has read before. */
  private known = 0;

  constructor(private readonly options: TokenFeedOptions) {
    const { engine, local } = options;
    this.first = options.firstTokenIndex;
    this.waiting = new Int32Array(local + (chunksPerCall + 1) * engine.description.plan.chunk);
    this.favoured = new Uint8Array(this.waiting.length);
  }

  /** Index of the first token of the stream. */
  get begin(): number {
    return this.first;
  }

  /** Index of the token that is pushed next. */
  get nextTokenIndex(): number {
    return this.options.firstTokenIndex + this.pushed - this.known;
  }

  /** The stream begins before what is read now: its first tokens are in the engine's cache. @param begin index of the first */
  passOver(begin: number): void {
    this.first = begin;
    this.known = this.options.firstTokenIndex - begin;
  }

  /** What comes next was not read before, whatever was expected. */
  endPassingOver(): void {
    this.known = 0;
  }

  /** @param favoured 1 for each token whose units stay before others; default: none */
  async push(tokens: Int32Array, favoured = new Uint8Array(tokens.length)): Promise<void> {
    const { waiting } = this;
    const known = Math.min(this.known, tokens.length);
    this.known -= known;
    for (let done = known; done < tokens.length;) {
      const some = Math.min(tokens.length - done, waiting.length - this.count);
      waiting.set(tokens.subarray(done, done + some), this.count);
      this.favoured.set(favoured.subarray(done, done + some), this.count);
      this.count += some;
      done += some;
      this.pushed += some;
      if (this.count === waiting.length) await this.extend(chunksPerCall * this.options.engine.description.plan.chunk);
    }
  }

  /** Reads what is left: the last chunk, and the local tokens. */
  async finish(): Promise<void> {
    const { engine, local, onChunk, signal } = this.options;
    const main = Math.max(0, this.count - local);
    await this.running;
    if (main > 0) {
      const options = { evict: 'final', onChunk, ...this.withStructure(main), signal } as const;
      await engine.extend(this.waiting.slice(0, main), options);
    }
    if (this.count > main) await engine.extend(this.waiting.slice(main, this.count), { evict: 'none', onChunk });
    this.count = 0;
  }

  /** Waits until nothing runs; errors were or will be thrown by the call that pushed. */
  async settle(): Promise<void> {
    await this.running.catch(() => undefined);
  }

  private async extend(tokens: number): Promise<void> {
    const { engine, onChunk, betweenCalls, signal } = this.options;
    await this.running;
    await betweenCalls?.();
    const part = this.waiting.slice(0, tokens);
    const options = { evict: 'between-chunks', onChunk, ...this.withStructure(tokens), signal } as const;
    this.waiting.copyWithin(0, tokens, this.count);
    this.favoured.copyWithin(0, tokens, this.count);
    this.count -= tokens;
    this.running = engine.extend(part, options);
    // Whoever waits for it next gets the error; until then it is not unhandled.
    this.running.catch(() => undefined);
  }

  private withStructure(tokens: number): { readonly structure?: Uint8Array } {
    const favoured = this.favoured.slice(0, tokens);
    return favoured.includes(1) ? { structure: favoured } : {};
  }
}
