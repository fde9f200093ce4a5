import type { ErrorCode, MemorySource } from './words.js';

/** URI of a workspace folder. */
export type RootUri = string;

export interface RootParams {
  readonly root: RootUri;
}

/** An error of any request: `error.data`, beside a message for people. */
export interface ErrorData {
  readonly code: ErrorCode;
  /** What the user can do; one sentence. */
  readonly remedy: string;
}

/** How far a read is. */
export interface ReadProgress {
  readonly filesRead: number;
  readonly files: number;
  readonly tokensRead: number;
  readonly bytesRead: number;
  readonly bytes: number;
  readonly tokensPerSecond: number;
  /** Undefined until it can be told. */
  readonly secondsLeft: number | undefined;
}

/**
 * What a root's memory is at.
 * - `idle`: nothing was loaded or read in this session; there may be a snapshot (see `snapshot`).
 * - `loading`: the model is being loaded, a snapshot restored or the files found.
 * - `reading`, `updating`: files pass through the model; `progress` tells how far.
 * - `paused`: reading was stopped half way; what was read is kept and reading goes on from there.
 * - `ready`: questions are answered at once.
 * - `failed`: `error` says why.
 */
export type RootState = 'idle' | 'loading' | 'reading' | 'updating' | 'paused' | 'ready' | 'failed';

/** A memory as it is held. */
export interface MemoryStatus {
  readonly filesRead: number;
  readonly tokensRead: number;
  readonly skipped: number;
  /** Files that changed on disk since they were read. */
  readonly changed: number;
  /** Cache units per KV head, and what every KV head may keep. */
  readonly units: number;
  readonly budget: number;
  readonly source: MemorySource;
  /** When it was read or last updated, milliseconds since 1970. */
  readonly made: number;
}

export interface RootStatus extends RootParams {
  readonly name: string;
  readonly state: RootState;
  /** While reading or updating, and where it was paused. */
  readonly progress?: ReadProgress | undefined;
  /** Undefined until there is one in this session. It stays known while another root's memory is in the engine. */
  readonly memory?: MemoryStatus | undefined;
  /** True when a snapshot on disk will spare reading. */
  readonly snapshot: boolean;
  /** True while a question to this root is being answered. */
  readonly answering: boolean;
  readonly error?: (ErrorData & { readonly message: string }) | undefined;
  /** What the user should know about this memory: sentences. */
  readonly notices: readonly string[];
}

export interface ReadParams extends RootParams {
  /** Read everything again even if there is a snapshot. */
  readonly fresh?: boolean | undefined;
}

export interface StopReadingParams extends RootParams {
  /** True: pause; what was read is kept. False: drop it; an earlier memory stays. */
  readonly keep: boolean;
}

export interface PlanParams extends RootParams {
  /** Plan with this model instead of the chosen one: a name that `locret/models` lists, or an absolute folder. */
  readonly model?: string | undefined;
}

/** Bytes of memory that reading and asking take: of the machine, or of its GPU when the model runs there. */
export interface PlannedBytes {
  /** Weights as the model runs them, with what onnxruntime arranges anew. */
  readonly weights: number;
  /** While weights are packed for the first time; released before reading. */
  readonly packing: number;
  readonly cache: number;
  /** Intermediate values of one pass. */
  readonly activations: number;
  /** The program itself. */
  readonly program: number;
  readonly peak: number;
  /** Free when the plan was made, where the model runs: on this machine or on its GPU. */
  readonly free: number;
}

export interface PlanResult {
  readonly model: string;
  /** One line each: name, value, what it is; for a table. */
  readonly rows: readonly (readonly [name: string, value: string, note: string])[];
  readonly bytes: PlannedBytes;
  readonly notices: readonly string[];
}
