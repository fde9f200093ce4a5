import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isLocretError } from '../../../server/errors.js';
import { OperationQueue } from '../../../server/workspace/operation-queue.js';

/** Operations that write down when they begin and end, and end when they are told to. */
function recorder() {
  const queue = new OperationQueue();
  const log: string[] = [];
  const endings = new Map<string, () => void>();
  const start = (name: string, options: { background?: boolean; signal?: AbortSignal } = {}): Promise<string> =>
    queue.run({
      name,
      ...options,
      task: (signal) =>
        new Promise((resolve, reject) => {
          log.push(`begin ${name}`);
          endings.set(name, () => {
            log.push(`end ${name}`);
            resolve(name);
          });
          signal.addEventListener('abort', () => {
            log.push(`abort ${name}`);
            reject(new Error(`${name} was aborted`));
          });
        }),
    });
  return { queue, log, start, end: (name: string) => endings.get(name)?.() };
}

describe('OperationQueue', () => {
  it('runs one operation at a time, in the order of the calls', async () => {
    const { log, start, end } = recorder();
    const first = start('a');
    const second = start('b');
    await delay(1);
    end('a');
    await first;
    await delay(1);
    end('b');
    await second;
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b']);
  });

  it('begins an operation at once when nothing runs, and none beside one whose turn has just come', async () => {
    const { log, start, end } = recorder();
    const first = start('a');
    const second = start('b');
    end('a');
    await first;
    const third = start('c');
    await delay(1);
    expect(log).toEqual(['begin a', 'end a', 'begin b']);
    end('b');
    await second;
    await delay(1);
    end('c');
    await expect(third).resolves.toBe('c');
  });

  it('lets those that somebody waits for pass those in the background', async () => {
    const { log, start, end } = recorder();
    const first = start('a');
    const later = start('background', { background: true });
    const second = start('b');
    end('a');
    await first;
    await delay(1);
    end('b');
    await second;
    await delay(1);
    end('background');
    await later;
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin background', 'end background']);
  });

  it('ends a background operation that runs when somebody waits', async () => {
    const { log, start, end } = recorder();
    const ended = expect(start('background', { background: true })).rejects.toThrow('was aborted');
    const question = start('question');
    await ended;
    await delay(1);
    end('question');
    await question;
    expect(log).toEqual(['begin background', 'abort background', 'begin question', 'end question']);
  });

  it('does not end a background operation for another one in the background', async () => {
    const { log, start, end } = recorder();
    const first = start('a', { background: true });
    const second = start('b', { background: true });
    await delay(1);
    end('a');
    await first;
    await delay(1);
    end('b');
    await second;
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b']);
  });

  it('takes an operation that is cancelled out of the queue without running it', async () => {
    const { log, start, end } = recorder();
    const first = start('a');
    const controller = new AbortController();
    const second = start('b', { signal: controller.signal });
    const third = start('c');
    controller.abort();
    await expect(second).rejects.toSatisfy((error) => isLocretError(error, 'cancelled'));
    end('a');
    await first;
    await delay(1);
    end('c');
    await third;
    expect(log).toEqual(['begin a', 'end a', 'begin c', 'end c']);
  });

  it('tells a running operation that its caller cancelled it', async () => {
    const { log, start } = recorder();
    const controller = new AbortController();
    const ended = expect(start('a', { signal: controller.signal })).rejects.toThrow('a was aborted');
    controller.abort();
    await ended;
    expect(log).toEqual(['begin a', 'abort a']);
  });

  it('goes on after an operation that failed, and is idle in the end', async () => {
    const { queue, start, end } = recorder();
    const failing = queue.run({ name: 'failing', task: () => Promise.reject(new Error('no')) });
    const next = start('next');
    await expect(failing).rejects.toThrow('no');
    await delay(1);
    expect(queue.isBusy).toBe(true);
    end('next');
    await next;
    expect(queue.isBusy).toBe(false);
  });
});
