import { isLocretError, LocretError, messageOf } from '../errors.js';

/** What the process ends with, as shells know it. */
export const exitCodes = { success: 0, failure: 1, usage: 2, cancelled: 130 } as const;

/** Removes control characters, so that a file name or a model cannot steer the terminal. Newlines and tabs stay. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '');
}

/** Prints a failure for people and returns the code to exit with. Unforeseen errors keep their stack. */
export function reportFailure(error: unknown): number {
  if (isLocretError(error, 'cancelled')) {
    process.stderr.write(`\n${error.message}\n`);
    return exitCodes.cancelled;
  }
  if (error instanceof LocretError) {
    process.stderr.write(`\nlocret: ${printable(error.message)}\n${printable(error.remedy)}\n`);
    return exitCodes.failure;
  }
  const stack = error instanceof Error ? error.stack : undefined;
  process.stderr.write(`\nlocret: unexpected error, please report it.\n${printable(stack ?? messageOf(error))}\n`);
  return exitCodes.failure;
}

/** A signal that fires when the user or the system asks the process to end. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** From now on such a request has its usual effect again. */
  stop(): void;
}

/**
 * Listens for Ctrl-C and termination requests. The running operation then ends at its next safe point; a second Ctrl-C
 * ends the process at once.
 */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled);
    process.stderr.write('\nStopping … (Ctrl-C again to stop at once)\n');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}

/** The signal of an interruption that is listened for until the process ends. */
export function interruptSignal(): AbortSignal {
  return listenForInterruption().signal;
}
