import { type ChildProcess, fork } from 'node:child_process';
import type { Bits } from './shapes.js';

/** A question, as it was answered. */
export interface AskedRun {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** From the question to its first word. */
  readonly firstWordSeconds: number;
  /** From the first word to the last. */
  readonly restSeconds: number;
  /** Processor time of all threads, which other programs on the machine disturb less than wall time. */
  readonly cpuSeconds: number;
  /** Of it, up to the first word. */
  readonly firstWordCpuSeconds: number;
  /** Of the first word's time, inside the model. */
  readonly modelSeconds: number;
}

/** What is told of a program once its model is loaded. */
export interface Loaded {
  /** Seconds until weights that were prepared by an earlier start are there. */
  readonly loadSeconds: number;
  /** Seconds of the very first start, where that prepares them. */
  readonly firstLoadSeconds?: number;
  /** Seconds until the memory is there, from its snapshot. */
  readonly restoreSeconds?: number;
  /** Units that stand before a question. */
  readonly units: number;
  readonly vocabulary: number;
  readonly versions: string;
}

export type ProductRequest =
  /** Loads a model. `units`: tokens to stand before a question, where there is no memory. */
  | {
      readonly kind: 'load';
      readonly model: string;
      readonly bits: Bits;
      readonly threads: number;
      readonly units: number;
      readonly vocabulary: number;
    }
  /** Asks. Without a memory the prompt is so many tokens, and the answer is not longer than said. */
  | { readonly kind: 'ask'; readonly recall: number; readonly promptTokens: number; readonly answerTokens: number }
  /** Decodes behind a prompt of so many tokens without anything around it. */
  | { readonly kind: 'decode'; readonly promptTokens: number; readonly answerTokens: number };

export type ProductReply =
  | { readonly kind: 'loaded'; readonly loaded: Loaded }
  | { readonly kind: 'asked'; readonly run: AskedRun }
  | { readonly kind: 'failed'; readonly message: string };

/** One of the programs that are compared, in a process of its own. */
export interface ProductContender {
  load(request: Extract<ProductRequest, { kind: 'load' }>): Promise<Loaded>;
  ask(request: Extract<ProductRequest, { kind: 'ask' }>): Promise<AskedRun>;
  decode(request: Extract<ProductRequest, { kind: 'decode' }>): Promise<AskedRun>;
}

/** Takes the time of a run, up to the first word and behind it. */
export class RunClock {
  private readonly begun = performance.now();
  private readonly cpuBegun = process.cpuUsage();
  private first: { readonly at: number; readonly cpu: number } | undefined;

  private get cpu(): number {
    const { user, system } = process.cpuUsage(this.cpuBegun);
    return (user + system) / 1e6;
  }

  /** Called with each word; the first one counts. */
  word(): void {
    this.first ??= { at: performance.now(), cpu: this.cpu };
  }

  end(promptTokens: number, answerTokens: number, modelSeconds: number): AskedRun {
    const now = performance.now();
    const { at, cpu } = this.first ?? { at: now, cpu: this.cpu };
    return {
      promptTokens,
      answerTokens,
      firstWordSeconds: (at - this.begun) / 1000,
      restSeconds: (now - at) / 1000,
      cpuSeconds: this.cpu,
      firstWordCpuSeconds: cpu,
      modelSeconds,
    };
  }
}

async function answer(contender: ProductContender, request: ProductRequest): Promise<ProductReply> {
  switch (request.kind) {
    case 'load':
      return { kind: 'loaded', loaded: await contender.load(request) };
    case 'ask':
      return { kind: 'asked', run: await contender.ask(request) };
    case 'decode':
      return { kind: 'asked', run: await contender.decode(request) };
  }
}

/** Makes this process a contender that the process which forked it can talk to. */
export function serveProduct(contender: ProductContender): void {
  process.on('message', (request: ProductRequest) => {
    answer(contender, request)
      .catch((error: unknown): ProductReply => ({ kind: 'failed', message: String(error) }))
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1));
  });
}

/** A contender seen from the process that compares. */
export class ProductProcess {
  private readonly child: ChildProcess;

  /** @param program the contender's module */
  constructor(program: URL) {
    this.child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async load(request: Omit<Extract<ProductRequest, { kind: 'load' }>, 'kind'>): Promise<Loaded> {
    const reply = await this.request({ kind: 'load', ...request });
    if (reply.kind !== 'loaded') throw new Error(`a contender answered "${reply.kind}" to "load"`);
    return reply.loaded;
  }

  async run(request: Exclude<ProductRequest, { kind: 'load' }>): Promise<AskedRun> {
    const reply = await this.request(request);
    if (reply.kind !== 'asked') throw new Error(`a contender answered "${reply.kind}" to "${request.kind}"`);
    return reply.run;
  }

  end(): void {
    this.child.kill();
  }

  private async request(request: ProductRequest): Promise<ProductReply> {
    const { child } = this;
    const reply = await new Promise<ProductReply>((resolve, reject) => {
      const gone = (code: number | null): void => {
        reject(new Error(`a contender ended (${code ?? 'by a signal'})`));
      };
      child.once('exit', gone);
      child.once('message', (message: ProductReply) => {
        child.off('exit', gone);
        resolve(message);
      });
      child.send(request);
    });
    if (reply.kind === 'failed') throw new Error(reply.message);
    return reply;
  }
}
