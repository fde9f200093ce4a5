import type { ErrorCode } from './contract/words.js';

/**
 * The error every part of the sidecar throws for a condition it foresees: which file and value, what was expected,
 * and what the user can do about it.
 */
export class LocretError extends Error {
  override readonly name = 'LocretError';

  /**
   * @param code stable word for programs
   * @param message names the file and the value, and what was expected
   * @param remedy what the user can do; one sentence
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error with which a cancelled operation ends. */
export function cancelled(operation: string): LocretError {
  return new LocretError('cancelled', `${operation} was cancelled.`, 'Start it again when you like.');
}

/** Throws {@link cancelled} when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted === true) throw cancelled(operation);
}

/** True when the thrown value is a LocretError, of the given code if one is given. */
export function isLocretError(error: unknown, code?: ErrorCode): error is LocretError {
  return error instanceof LocretError && (code === undefined || error.code === code);
}

/** The system's error code (`ENOENT`, `ENOSPC`, …) of a thrown value, if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
