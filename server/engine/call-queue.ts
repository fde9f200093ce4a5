import { cancelled } from '../errors.js';

/** Resolves when the signal fires, never without one. The returned function stops waiting. */
function whenAborted(signal: AbortSignal | undefined): { readonly aborted: Promise<'aborted'>; stop(): void } {
  let listener = (): void => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    listener = () => {
      resolve('aborted');
    };
    if (signal?.aborted === true) listener();
    signal?.addEventListener('abort', listener, { once: true });
  });
  return {
    aborted,
    stop: () => {
      signal?.removeEventListener('abort', listener);
    },
  };
}

/** Runs one task at a time, in the order of the calls. */
export class CallQueue {
  private last: Promise<unknown> = Promise.resolve();

  /**
   * Runs the task when all before it have ended. When the signal fires before that, it never starts and its call ends
   * at once with `cancelled`; once it runs, the signal is its own matter.
   */
  async run<T>(operation: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const previous = this.last;
    const waiting = whenAborted(signal);
    let leave: (reason: 'turn over') => void = () => undefined;
    const turnOver = new Promise<'turn over'>((resolve) => {
      leave = resolve;
    });
    this.last = Promise.all([previous, turnOver]);
    try {
      const next = await Promise.race([waiting.aborted, previous]);
      if (next === 'aborted' || signal?.aborted === true) throw cancelled(operation);
      waiting.stop();
      return await task();
    } finally {
      waiting.stop();
      leave('turn over');
    }
  }
}
