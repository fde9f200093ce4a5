import { type ChildProcess, fork } from 'node:child_process';

/** One of the programs whose speed is compared. Each runs in a process of its own. */
export interface Contender {
  /** Loads random weights of a shape. Returns the versions of what runs them. */
  load(shape: string, bits: string, threads: number): Promise<string>;
  /** Starts over with a cache of this many units. */
  fill(cache: number, chunk: number): Promise<void>;
  /** Reads a chunk behind the full cache, inside `measure`; afterwards the cache is as it was. Returns its tokens. */
  prefill(measure: Measure): Promise<number>;
  /** Runs the model token by token behind the full cache, likewise. Returns how often. */
  decode(runs: number, measure: Measure): Promise<number>;
}

/** Runs a task and keeps the time. */
export type Measure = (task: () => Promise<void>) => Promise<void>;

export type Request =
  | { readonly kind: 'load'; readonly shape: string; readonly bits: string; readonly threads: number }
  | { readonly kind: 'fill'; readonly cache: number; readonly chunk: number }
  | { readonly kind: 'prefill' }
  | { readonly kind: 'decode'; readonly runs: number };

export interface Measurement {
  readonly tokensPerSecond: number;
  /** Processor time of all threads, which other programs on the machine disturb less than wall time. */
  readonly cpuMillisecondsPerToken: number;
}

type Reply =
  | { readonly kind: 'done'; readonly versions: string }
  | { readonly kind: 'measured'; readonly measurement: Measurement }
  | { readonly kind: 'failed'; readonly message: string };

/** A sequence of tokens that differs from start to start. */
export function someTokens(count: number, start: number, vocabulary: number): number[] {
  return Array.from({ length: count }, (_, i) => ((i + start) * 7919 + 13) % (vocabulary - 2));
}

async function measured(work: (measure: Measure) => Promise<number>): Promise<Measurement> {
  let seconds = 0;
  let cpuMicroseconds = 0;
  const tokens = await work(async (task) => {
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    await task();
    seconds += (performance.now() - before) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMicroseconds += user + system;
  });
  return { tokensPerSecond: tokens / seconds, cpuMillisecondsPerToken: cpuMicroseconds / 1000 / tokens };
}

async function answer(contender: Contender, request: Request): Promise<Reply> {
  switch (request.kind) {
    case 'load':
      return { kind: 'done', versions: await contender.load(request.shape, request.bits, request.threads) };
    case 'fill':
      await contender.fill(request.cache, request.chunk);
      return { kind: 'done', versions: '' };
    case 'prefill':
      return { kind: 'measured', measurement: await measured((measure) => contender.prefill(measure)) };
    case 'decode':
      return { kind: 'measured', measurement: await measured((measure) => contender.decode(request.runs, measure)) };
  }
}

/** Makes this process a contender that the process which forked it can talk to. */
export function serveContender(contender: Contender): void {
  process.on('message', (request: Request) => {
    answer(contender, request)
      .catch((error: unknown): Reply => ({ kind: 'failed', message: String(error) }))
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1));
  });
}

/** A contender in a process of its own, seen from the process that compares. */
export class ContenderProcess {
  private readonly child: ChildProcess;

  /** @param program the contender's module */
  constructor(program: URL) {
    this.child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async load(shape: string, bits: string, threads: number): Promise<string> {
    const reply = await this.ask({ kind: 'load', shape, bits, threads });
    return reply.kind === 'done' ? reply.versions : '';
  }

  async fill(cache: number, chunk: number): Promise<void> {
    await this.ask({ kind: 'fill', cache, chunk });
  }

  async measure(request: Extract<Request, { kind: 'prefill' | 'decode' }>): Promise<Measurement> {
    const reply = await this.ask(request);
    if (reply.kind !== 'measured') throw new Error(`a contender answered "${reply.kind}" to "${request.kind}"`);
    return reply.measurement;
  }

  end(): void {
    this.child.kill();
  }

  private async ask(request: Request): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      const ended = (): void => {
        reject(new Error(`a contender ended during "${request.kind}"`));
      };
      this.child.once('exit', ended);
      this.child.once('message', (message: Reply) => {
        this.child.off('exit', ended);
        resolve(message);
      });
      this.child.send(request);
    });
    if (reply.kind === 'failed') throw new Error(reply.message);
    return reply;
  }
}
