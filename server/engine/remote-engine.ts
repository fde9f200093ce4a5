import { LocretError } from '../errors.js';
import { CallQueue } from './call-queue.js';
import type { Engine, EngineDescription, EngineOptions } from './engine.js';
import { type Arguments, engineCalls, type EngineMethod, type Operation, operations } from './operations.js';
import type { Result, Sent } from './operations.js';
import { WorkerConnection } from './worker-connection.js';

/** An engine in a worker thread, so that the thread that uses it stays free while the model runs. Calls wait in a queue. */
function remoteEngine(connection: WorkerConnection, description: EngineDescription): Engine {
  const queue = new CallQueue();
  let disposal: Promise<void> | undefined;

  const call = async <M extends EngineMethod>(method: M, given: Arguments<M>): Promise<Result<M>> => {
    const operation: Operation<Arguments<M>, Sent[M]> = operations[method];
    const { values, listeners } = operation.pack(given);
    const task = async (): Promise<Result<M>> => {
      if (disposal !== undefined) throw new LocretError('engine-failed', 'The model was unloaded.', 'Load it again.');
      return connection.call(method, values, listeners);
    };
    return queue.run(operation.name, task, listeners.signal);
  };

  /** Cancels what runs, lets the engine free its memory and ends the worker. */
  const end = async (): Promise<void> => {
    connection.cancel();
    try {
      await queue.run(operations.dispose.name, async () => {
        if (connection.failed === undefined) await connection.call('dispose', [], {});
      });
    } finally {
      await connection.terminate();
    }
  };

  return { description, ...engineCalls(call), dispose: () => (disposal ??= end()) };
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
    return remoteEngine(connection, await connection.opened);
  } catch (error) {
    await connection.terminate();
    throw error;
  }
}
