import { cancelled } from '../errors.js';

/**
 * Waits for something that goes on whether or not this caller still wants it.
 * @throws LocretError cancelled when the signal fires first; what the promise rejects with
 */
export async function abortable<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
  name: string,
): Promise<Result> {
  if (signal === undefined) return promise;
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => {
      reject(cancelled(name));
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
