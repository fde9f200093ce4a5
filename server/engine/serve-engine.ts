import type { MessagePort } from 'node:worker_threads';
import type { Engine, EngineOptions, LayerCache } from './engine.js';
import type { Arguments, CallLine, EngineCalls, EngineMethod, Operation, Result, Sent } from './operations.js';
import { operations } from './operations.js';
import {
  controlWords,
  type EngineCall,
  errorToMessage,
  type FromWorker,
  type Reports,
  type ToWorker,
  verdicts,
} from './worker-messages.js';

/** The buffers of an answer's arrays: given away instead of copied, where an array has one to itself. */
function ownBuffers(answer: unknown): ArrayBuffer[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const values: readonly unknown[] = Object.values(answer);
  const buffers = values.flatMap((value) => {
    if (!ArrayBuffer.isView(value) || !(value.buffer instanceof ArrayBuffer)) return [];
    return value.byteLength === value.buffer.byteLength && value.byteLength > 0 ? [value.buffer] : [];
  });
  return [...new Set(buffers)];
}

class EngineServer {
  private readonly control: Int32Array;
  private readonly calls: EngineCalls;
  private importStep: ((message: ToWorker) => void) | undefined;

  constructor(
    engine: Engine,
    private readonly port: MessagePort,
    control: SharedArrayBuffer,
  ) {
    this.calls = engine;
    this.control = new Int32Array(control);
  }

  /** Serves until the thread that started this one ends it. */
  serve(): void {
    this.port.on('message', (message: ToWorker) => {
      if (message.kind === 'call') void this.answer(message.id, message.call);
      else this.importStep?.(message);
    });
  }

  private send<M extends EngineMethod>(message: FromWorker<M>, give: ArrayBuffer[] = []): void {
    this.port.postMessage(message, give);
  }

  private async answer<M extends EngineMethod>(id: number, call: EngineCall<M>): Promise<void> {
    try {
      const value = await this.run(call.method, call.values, this.lineOf(id, call.reports));
      this.send<M>({ kind: 'answer', id, answer: { method: call.method, value } }, ownBuffers(value));
    } catch (error) {
      this.send({ kind: 'failed', id, error: errorToMessage(error) });
    }
  }

  private run<M extends EngineMethod>(method: M, values: Sent[M], line: CallLine): Promise<Result<M>> {
    const operation: Operation<Arguments<M>, Sent[M]> = operations[method];
    return this.calls[method](...operation.unpack(values, line));
  }

  /** Where a call reports to; whether it was cancelled is looked at before it begins and with every report. */
  private lineOf(id: number, reports: Reports): CallLine {
    const cancel = new AbortController();
    const obeyCancel = (): void => {
      if (Atomics.load(this.control, controlWords.cancelled) === id) cancel.abort();
    };
    obeyCancel();
    return {
      signal: cancel.signal,
      onChunk: (report) => {
        if (reports.chunks) this.send({ kind: 'chunk', id, report });
        obeyCancel();
      },
      onToken: (token) => {
        const goOn = !reports.tokens || this.askAboutToken(id, token);
        obeyCancel();
        return goOn;
      },
      layers: this.importedLayers(id),
    };
  }

  /**
   * Reports a token and waits for the answer: the engine must know before it computes the next one, or the cache would
   * hold tokens that nobody asked for.
   */
  private askAboutToken(id: number, token: number): boolean {
    Atomics.store(this.control, controlWords.verdict, verdicts.pending);
    this.send({ kind: 'token', id, token });
    Atomics.wait(this.control, controlWords.verdict, verdicts.pending);
    return Atomics.load(this.control, controlWords.verdict) === verdicts.continue;
  }

  /** The layers that the other side is asked for, one at a time. */
  private async *importedLayers(id: number): AsyncGenerator<LayerCache> {
    for (;;) {
      const message = await new Promise<ToWorker>((resolve) => {
        this.importStep = resolve;
        this.send({ kind: 'want-import-step', id });
      });
      if (message.kind !== 'import-step') throw new Error('the layers to import ended with an error');
      if (message.layer === undefined) return;
      yield message.layer;
    }
  }
}

/** Loads an engine in this worker thread and answers calls from the thread that started it. */
export function serveEngine(createEngine: (options: EngineOptions) => Promise<Engine>, port: MessagePort): void {
  const send = (message: FromWorker): void => {
    port.postMessage(message);
  };
  const open = async (message: ToWorker): Promise<void> => {
    if (message.kind !== 'open') throw new Error(`the first message was "${message.kind}"`);
    const engine = await createEngine(message.options);
    new EngineServer(engine, port, message.control).serve();
    send({ kind: 'opened', description: engine.description });
  };
  port.once('message', (message: ToWorker) => {
    open(message).catch((error: unknown) => {
      send({ kind: 'open-failed', error: errorToMessage(error) });
    });
  });
}
