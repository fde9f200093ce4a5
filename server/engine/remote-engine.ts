import { LocretError } from '../errors.js';
import { CallQueue } from './call-queue.js';
import type {
  Engine,
  EngineDescription,
  EngineOptions,
  EngineStats,
  ExtendOptions,
  ExtendResult,
  GenerateOptions,
  GenerateResult,
  KeptUnits,
  LayerCache,
  Mark,
  TokenRange,
} from './engine.js';
import { type CallListeners, WorkerConnection } from './worker-connection.js';
import type { AnswerValues, EngineAnswer, EngineCall, EngineMethod } from './worker-messages.js';

function answers<M extends EngineMethod>(
  answer: EngineAnswer,
  method: M,
): answer is EngineAnswer & { readonly value: AnswerValues[M] } {
  return answer.method === method;
}

/** An engine in a worker thread, so that the thread that uses it stays free while the model runs. */
class RemoteEngine implements Engine {
  private readonly queue = new CallQueue();
  private disposal: Promise<void> | undefined;

  constructor(
    private readonly connection: WorkerConnection,
    readonly description: EngineDescription,
  ) {}

  async extend(tokens: readonly number[] | Int32Array, options: ExtendOptions): Promise<ExtendResult> {
    const { onChunk, signal, ...rest } = options;
    return this.call(
      'extend',
      { method: 'extend', tokens: Int32Array.from(tokens), options: rest, reportChunks: onChunk !== undefined },
      { onChunk, signal },
    );
  }

  async generate(options: GenerateOptions): Promise<GenerateResult> {
    const { onToken, signal, ...rest } = options;
    return this.call(
      'generate',
      { method: 'generate', options: rest, reportTokens: onToken !== undefined },
      { onToken, signal },
    );
  }

  async mark(): Promise<Mark> {
    return this.call('mark', { method: 'mark' });
  }

  async rewind(mark: Mark): Promise<void> {
    return this.call('rewind', { method: 'rewind', mark });
  }

  async forget(ranges: readonly TokenRange[]): Promise<number> {
    return this.call('forget', { method: 'forget', ranges });
  }

  async reset(): Promise<void> {
    return this.call('reset', { method: 'reset' });
  }

  async exportLayer(layer: number): Promise<LayerCache> {
    return this.call('exportLayer', { method: 'exportLayer', layer });
  }

  async importLayers(layers: AsyncIterable<LayerCache>, nextTokenIndex: number): Promise<void> {
    const iterator = layers[Symbol.asyncIterator]();
    try {
      await this.call(
        'importLayers',
        { method: 'importLayers', nextTokenIndex },
        {
          nextImportStep: async () => {
            const next = await iterator.next();
            return next.done === true ? { done: true } : { done: false, layer: next.value };
          },
        },
      );
    } finally {
      await iterator.return?.();
    }
  }

  async keptUnits(): Promise<KeptUnits> {
    return this.call('keptUnits', { method: 'keptUnits' });
  }

  async stats(): Promise<EngineStats> {
    return this.call('stats', { method: 'stats' });
  }

  /** Cancels what runs, lets the engine free its memory and ends the worker. */
  dispose(): Promise<void> {
    this.disposal ??= this.end();
    return this.disposal;
  }

  private async end(): Promise<void> {
    this.connection.cancel();
    try {
      await this.queue.run('Unloading the model', async () => {
        if (this.connection.failed === undefined) await this.connection.call({ method: 'dispose' });
      });
    } finally {
      await this.connection.terminate();
    }
  }

  private async call<M extends EngineMethod>(
    method: M,
    call: EngineCall & { readonly method: M },
    listeners: CallListeners = {},
  ): Promise<AnswerValues[M]> {
    const task = async (): Promise<AnswerValues[M]> => {
      if (this.disposal !== undefined) throw unloaded();
      const answer = await this.connection.call(call, listeners);
      if (answers(answer, method)) return answer.value;
      throw new LocretError(
        'engine-failed',
        `The engine's worker answered ${answer.method} to ${method}.`,
        'Build the product again: its parts are not of one version.',
      );
    };
    return this.queue.run(operations[method], task, listeners.signal);
  }
}

const operations: Readonly<Record<EngineMethod, string>> = {
  extend: 'Reading',
  generate: 'Generating',
  mark: 'Marking the cache',
  rewind: 'Rewinding the cache',
  forget: 'Forgetting tokens',
  reset: 'Emptying the cache',
  exportLayer: 'Copying the cache',
  importLayers: 'Restoring the cache',
  keptUnits: 'Counting kept units',
  stats: 'Counting the cache',
  dispose: 'Unloading the model',
};

function unloaded(): LocretError {
  return new LocretError('engine-failed', 'The model was unloaded.', 'Load it again.');
}

/**
 * The worker's program: beside this module's bundle in the product. This module's source file is not bundled (a test
 * imported it), and the worker is the one that the build left in dist/.
 */
function engineWorker(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../../dist/engine-worker.js' : './engine-worker.js', import.meta.url);
}

/**
 * Loads an engine in a worker thread of its own.
 *
 * @param workerFile the thread's program, which must call `serveEngine`
 * @throws LocretError what creating the engine throws there, with its code and remedy; engine-failed when the worker
 * cannot be started
 */
export async function openEngine(options: EngineOptions, workerFile = engineWorker()): Promise<Engine> {
  const connection = new WorkerConnection(workerFile, options);
  try {
    return new RemoteEngine(connection, await connection.opened);
  } catch (error) {
    await connection.terminate();
    throw error;
  }
}
