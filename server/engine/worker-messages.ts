import type { ErrorCode } from '../contract/words.js';
import { isLocretError, LocretError, messageOf } from '../errors.js';
import type {
  ChunkReport,
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

/** The calls of an engine as they cross the boundary: callbacks and signals stay behind. */
export type EngineCall =
  | {
      readonly method: 'extend';
      readonly tokens: Int32Array;
      readonly options: Omit<ExtendOptions, 'onChunk' | 'signal'>;
      readonly reportChunks: boolean;
    }
  | {
      readonly method: 'generate';
      readonly options: Omit<GenerateOptions, 'onToken' | 'signal'>;
      readonly reportTokens: boolean;
    }
  | { readonly method: 'mark' }
  | { readonly method: 'rewind'; readonly mark: Mark }
  | { readonly method: 'forget'; readonly ranges: readonly TokenRange[] }
  | { readonly method: 'reset' }
  | { readonly method: 'exportLayer'; readonly layer: number }
  | { readonly method: 'importLayers'; readonly nextTokenIndex: number }
  | { readonly method: 'keptUnits' }
  | { readonly method: 'stats' }
  | { readonly method: 'dispose' };

/** What each call is answered with. */
export interface AnswerValues {
  readonly extend: ExtendResult;
  readonly generate: GenerateResult;
  readonly mark: Mark;
  readonly rewind: undefined;
  readonly forget: number;
  readonly reset: undefined;
  readonly exportLayer: LayerCache;
  readonly importLayers: undefined;
  readonly keptUnits: KeptUnits;
  readonly stats: EngineStats;
  readonly dispose: undefined;
}

export type EngineMethod = keyof AnswerValues;

export type EngineAnswer = {
  [M in EngineMethod]: { readonly method: M; readonly value: AnswerValues[M] };
}[EngineMethod];

/** What is imported next: a layer, or the end. */
export type ImportStep = { readonly done: false; readonly layer: LayerCache } | { readonly done: true };

export type ToWorker =
  | { readonly kind: 'open'; readonly options: EngineOptions; readonly control: SharedArrayBuffer }
  | { readonly kind: 'call'; readonly id: number; readonly call: EngineCall }
  | { readonly kind: 'import-step'; readonly id: number; readonly step: ImportStep }
  | { readonly kind: 'import-failed'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'opened'; readonly description: EngineDescription }
  | { readonly kind: 'open-failed'; readonly error: ErrorMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: EngineAnswer }
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
