import type { ErrorCode } from '../contract/words.js';
import { isLocretError, LocretError, messageOf } from '../errors.js';
import type { ChunkReport, EngineDescription, EngineOptions, LayerCache } from './engine.js';
import type { EngineMethod, Result, Sent } from './operations.js';

/**
 * Words of 32 bits that both threads see at once, so that neither a cancel nor an answer to a token has to wait for the
 * worker's event loop.
 */
export const controlWords = {
  /** Identity of the newest call that was cancelled. */
  cancelled: 0,
  /** The answer to a reported token: one of {@link verdicts}. */
  verdict: 1,
} as const;
export const controlBytes = 8;

export const verdicts = { pending: 0, continue: 1, stop: 2 } as const;

/** What the caller's side listens to. */
export interface Reports {
  readonly chunks: boolean;
  readonly tokens: boolean;
}

/** A call of an engine as it crosses the boundary. */
export type EngineCall<Which extends EngineMethod = EngineMethod> = {
  [M in Which]: { readonly method: M; readonly values: Sent[M]; readonly reports: Reports };
}[Which];

/** What a call is answered with. */
export type EngineAnswer<Which extends EngineMethod = EngineMethod> = {
  [M in Which]: { readonly method: M; readonly value: Result<M> };
}[Which];

export type ToWorker<Which extends EngineMethod = EngineMethod> =
  | { readonly kind: 'open'; readonly options: EngineOptions; readonly control: SharedArrayBuffer }
  | { readonly kind: 'call'; readonly id: number; readonly call: EngineCall<Which> }
  /** What is imported next; undefined: nothing more. */
  | { readonly kind: 'import-step'; readonly id: number; readonly layer: LayerCache | undefined }
  | { readonly kind: 'import-failed'; readonly id: number };

export type FromWorker<Which extends EngineMethod = EngineMethod> =
  | { readonly kind: 'opened'; readonly description: EngineDescription }
  | { readonly kind: 'open-failed'; readonly error: ErrorMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: EngineAnswer<Which> }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorMessage }
  | { readonly kind: 'chunk'; readonly id: number; readonly report: ChunkReport }
  | { readonly kind: 'token'; readonly id: number; readonly token: number }
  | { readonly kind: 'want-import-step'; readonly id: number };

/** A thrown value in a form that crosses threads whole. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly stack: string | undefined;
}

/** Anything but a LocretError is a defect of the engine or its backend and becomes `engine-failed`. */
export function errorToMessage(error: unknown): ErrorMessage {
  const stack = error instanceof Error ? error.stack : undefined;
  if (isLocretError(error)) return { code: error.code, message: error.message, remedy: error.remedy, stack };
  return {
    code: 'engine-failed',
    message: `The engine failed: ${messageOf(error)}`,
    remedy: 'Load the model again; if it happens again, report it with this message.',
    stack,
  };
}

export function errorFromMessage({ code, message, remedy, stack }: ErrorMessage): LocretError {
  const error = new LocretError(code, message, remedy);
  if (stack !== undefined) error.stack = stack;
  return error;
}
