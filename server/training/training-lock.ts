import { isLocretError, LocretError } from '../errors.js';
import { lock } from '../memory/keeping/lock.js';
import { checkpointFile } from './checkpoint-file.js';

/** A process that was told to end may still be writing its checkpoint. */
const patience = 10_000;

/**
 * Runs a task while no other process trains into the same file.
 * @throws LocretError memory-locked when another one does; cancelled; what the task throws
 */
export async function withTrainingLock<Result>(
  out: string,
  signal: AbortSignal | undefined,
  task: () => Promise<Result>,
): Promise<Result> {
  const file = `${checkpointFile(out)}.lock`;
  const release = await lock(file, { patience, onWait: () => undefined, signal }).catch((error: unknown) => {
    if (!isLocretError(error, 'memory-locked')) throw error;
    throw new LocretError(
      'memory-locked',
      `Another process trains heads into ${out}; its lock is ${file}.`,
      'Wait for it or pause it, or write to another file.',
      { cause: error },
    );
  });
  try {
    return await task();
  } finally {
    await release?.();
  }
}
