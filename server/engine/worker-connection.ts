import { Worker } from 'node:worker_threads';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';
import type { EngineDescription, EngineOptions, LayerCache } from './engine.js';
import type { CallListeners, EngineMethod, Result, Sent } from './operations.js';
import { forbidTelemetry } from './telemetry.js';
import {
  controlBytes,
  controlWords,
  type EngineAnswer,
  errorFromMessage,
  type FromWorker,
  type ToWorker,
  verdicts,
} from './worker-messages.js';

interface RunningCall {
  readonly id: number;
  readonly listeners: CallListeners;
  /** What is still to be imported. */
  readonly layers: AsyncIterator<LayerCache> | undefined;
  readonly resolve: (answer: EngineAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** What a listener threw; the call ends with it. */
  listenerError?: { readonly thrown: unknown };
}

function answers<M extends EngineMethod>(
  answer: EngineAnswer,
  method: M,
): answer is EngineAnswer & { readonly value: Result<M> } {
  return answer.method === method;
}

function workerFailure(error: unknown): LocretError {
  if (systemErrorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new LocretError(
      'engine-failed',
      "The engine's worker ran out of memory and was ended.",
      'Use a smaller budget or chunk, a smaller model, or int4 weights.',
      { cause: error },
    );
  }
  return new LocretError(
    'engine-failed',
    `The engine's worker failed: ${messageOf(error)}`,
    'Load the model again; if it happens again, report it with this message.',
    { cause: error },
  );
}

/** A worker thread with an engine in it. One call at a time; see {@link RemoteEngine} for the queue before it. */
export class WorkerConnection {
  /** The engine's description once it is loaded; rejects with what kept it from loading. */
  readonly opened: Promise<EngineDescription>;
  private readonly worker: Worker;
  private readonly control: Int32Array;
  private lastId = 0;
  private running: RunningCall | undefined;
  private failure: LocretError | undefined;

  constructor(workerFile: URL, options: EngineOptions) {
    const control = new SharedArrayBuffer(controlBytes);
    this.control = new Int32Array(control);
    forbidTelemetry();
    this.worker = new Worker(workerFile, { name: 'locret engine' });
    this.opened = new Promise((resolve, reject) => {
      this.worker.on('message', (message: FromWorker) => {
        if (message.kind === 'opened') {
          // An engine that nobody waits for does not keep the process alive.
          this.worker.unref();
          resolve(message.description);
        } else if (message.kind === 'open-failed') {
          this.fail(errorFromMessage(message.error), reject);
          void this.worker.terminate();
        } else {
          this.receive(message);
        }
      });
      this.worker.on('error', (error) => {
        this.fail(workerFailure(error), reject);
      });
      this.worker.on('messageerror', (error) => {
        this.fail(workerFailure(error), reject);
        void this.worker.terminate();
      });
      this.worker.on('exit', (code) => {
        this.fail(workerFailure(new Error(`it ended by itself with exit code ${code}`)), reject);
      });
    });
    this.send({ kind: 'open', options, control });
  }

  /** Why no more calls are possible, if so. */
  get failed(): LocretError | undefined {
    return this.failure;
  }

  /** Sends a call and waits for its answer. No other call may be running. */
  async call<M extends EngineMethod>(method: M, values: Sent[M], listeners: CallListeners): Promise<Result<M>> {
    if (this.failure !== undefined) throw this.failure;
    const id = ++this.lastId;
    const { onChunk, onToken, signal } = listeners;
    const layers = listeners.layers?.[Symbol.asyncIterator]();
    const cancel = (): void => {
      this.cancel();
    };
    this.worker.ref();
    try {
      const answer = await new Promise<EngineAnswer>((resolve, reject) => {
        this.running = { id, listeners, layers, resolve, reject };
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted === true) cancel();
        const reports = { chunks: onChunk !== undefined, tokens: onToken !== undefined };
        this.send<M>({ kind: 'call', id, call: { method, values, reports } });
      });
      if (answers(answer, method)) return answer.value;
      throw workerFailure(new Error(`it answered ${answer.method} to ${method}`));
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.running = undefined;
      this.worker.unref();
      await layers?.return?.();
    }
  }

  /** Asks the running call to end, if it can: within one chunk or one token. */
  cancel(): void {
    if (this.running !== undefined) Atomics.store(this.control, controlWords.cancelled, this.running.id);
  }

  /** Ends the worker, whatever it does. */
  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private send<M extends EngineMethod>(message: ToWorker<M>): void {
    this.worker.postMessage(message);
  }

  private fail(error: LocretError, rejectOpening: (error: LocretError) => void): void {
    this.failure ??= error;
    rejectOpening(this.failure);
    this.running?.reject(this.failure);
  }

  private receive(message: Exclude<FromWorker, { kind: 'opened' | 'open-failed' }>): void {
    const { running } = this;
    if (running?.id !== message.id) return;
    switch (message.kind) {
      case 'answer':
        if (running.listenerError === undefined) running.resolve(message.answer);
        else running.reject(running.listenerError.thrown);
        break;
      case 'failed':
        running.reject(
          running.listenerError === undefined ? errorFromMessage(message.error) : running.listenerError.thrown,
        );
        break;
      case 'chunk':
        this.listen(running, () => running.listeners.onChunk?.(message.report));
        break;
      case 'token':
        this.answerToken(running, message.token);
        break;
      case 'want-import-step':
        void this.sendImportStep(running);
        break;
    }
  }

  /** Runs a listener. When it throws, the call is cancelled and ends with what was thrown. */
  private listen<T>(running: RunningCall, listener: () => T): T | undefined {
    if (running.listenerError !== undefined) return undefined;
    try {
      return listener();
    } catch (error) {
      running.listenerError = { thrown: error };
      this.cancel();
      return undefined;
    }
  }

  private answerToken(running: RunningCall, token: number): void {
    const goOn = this.listen(running, () => running.listeners.onToken?.(token) ?? true) ?? false;
    Atomics.store(this.control, controlWords.verdict, goOn ? verdicts.continue : verdicts.stop);
    Atomics.notify(this.control, controlWords.verdict);
  }

  private async sendImportStep(running: RunningCall): Promise<void> {
    const { id, layers } = running;
    try {
      const next = await layers?.next();
      const step = next === undefined || next.done === true ? undefined : next.value;
      this.send({ kind: 'import-step', id, layer: step });
    } catch (error) {
      running.listenerError = { thrown: error };
      this.send({ kind: 'import-failed', id });
    }
  }
}
