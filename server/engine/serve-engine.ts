import type { MessagePort } from 'node:worker_threads';
import type { Engine, EngineOptions, LayerCache } from './engine.js';
import {
  controlWords,
  type EngineAnswer,
  type EngineCall,
  errorToMessage,
  type FromWorker,
  type ToWorker,
  verdicts,
} from './worker-messages.js';

/** The buffers of arrays that can be given away: each array's own, whole. */
function wholeBuffers(arrays: readonly (Float32Array | Int32Array | Uint16Array | Uint8Array)[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer, byteLength } of arrays) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) buffers.add(buffer);
  }
  return [...buffers];
}

/** What an answer can give away instead of copying it. */
function transferable(answer: EngineAnswer): ArrayBuffer[] {
  if (answer.method === 'keptUnits') return wholeBuffers([answer.value.tokenIndices, answer.value.counts]);
  if (answer.method !== 'exportLayer') return [];
  const { keys, values, scores, tokenIndices, packed } = answer.value;
  return wholeBuffers([keys, values, scores, tokenIndices, ...(packed === undefined ? [] : [packed])]);
}

class EngineServer {
  private readonly control: Int32Array;
  private importStep: ((message: ToWorker) => void) | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly port: MessagePort,
    control: SharedArrayBuffer,
  ) {
    this.control = new Int32Array(control);
  }

  /** Serves until the thread that started this one ends it. */
  serve(): void {
    this.port.on('message', (message: ToWorker) => {
      if (message.kind === 'call') void this.answer(message.id, message.call);
      else this.importStep?.(message);
    });
  }

  private send(message: FromWorker, give: ArrayBuffer[] = []): void {
    this.port.postMessage(message, give);
  }

  private async answer(id: number, call: EngineCall): Promise<void> {
    try {
      const answer = await this.run(id, call);
      this.send({ kind: 'answer', id, answer }, transferable(answer));
    } catch (error) {
      this.send({ kind: 'failed', id, error: errorToMessage(error) });
    }
  }

  private async run(id: number, call: EngineCall): Promise<EngineAnswer> {
    const { engine } = this;
    const { method } = call;
    switch (method) {
      case 'extend':
        return { method, value: await this.extend(id, call) };
      case 'generate':
        return { method, value: await this.generate(id, call) };
      case 'mark':
        return { method, value: await engine.mark() };
      case 'rewind':
        await engine.rewind(call.mark);
        return { method, value: undefined };
      case 'forget':
        return { method, value: await engine.forget(call.ranges) };
      case 'reset':
        await engine.reset();
        return { method, value: undefined };
      case 'exportLayer':
        return { method, value: await engine.exportLayer(call.layer) };
      case 'importLayers':
        await engine.importLayers(this.importedLayers(id), call.nextTokenIndex);
        return { method, value: undefined };
      case 'keptUnits':
        return { method, value: await engine.keptUnits() };
      case 'stats':
        return { method, value: await engine.stats() };
      case 'dispose':
        await engine.dispose();
        return { method, value: undefined };
    }
  }

  private async extend(id: number, call: Extract<EngineCall, { method: 'extend' }>): ReturnType<Engine['extend']> {
    const cancel = new AbortController();
    const obeyCancel = (): void => {
      if (this.isCancelled(id)) cancel.abort();
    };
    obeyCancel();
    return this.engine.extend(call.tokens, {
      ...call.options,
      signal: cancel.signal,
      onChunk: (report) => {
        if (call.reportChunks) this.send({ kind: 'chunk', id, report });
        obeyCancel();
      },
    });
  }

  private async generate(
    id: number,
    call: Extract<EngineCall, { method: 'generate' }>,
  ): ReturnType<Engine['generate']> {
    const cancel = new AbortController();
    const obeyCancel = (): void => {
      if (this.isCancelled(id)) cancel.abort();
    };
    obeyCancel();
    return this.engine.generate({
      ...call.options,
      signal: cancel.signal,
      onToken: (token) => {
        const goOn = !call.reportTokens || this.askAboutToken(id, token);
        obeyCancel();
        return goOn;
      },
    });
  }

  private isCancelled(id: number): boolean {
    return Atomics.load(this.control, controlWords.cancelled) === id;
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
      if (message.step.done) return;
      yield message.step.layer;
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
