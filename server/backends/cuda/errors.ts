import type { ErrorCode } from '../../contract/words.js';
import { LocretError, messageOf, systemErrorCode } from '../../errors.js';

/** What the native side can fail with besides engine-failed, and what the user can do. */
const remedies: Readonly<Partial<Record<string, { readonly code: ErrorCode; readonly remedy: string }>>> = {
  'out-of-memory': {
    code: 'out-of-memory',
    remedy: 'End other programs that use the GPU, choose int4 weights or a smaller budget, or run on the processor.',
  },
  'invalid-argument': { code: 'invalid-argument', remedy: 'Choose other sizes, or run on the processor.' },
  'model-unsupported': { code: 'model-unsupported', remedy: 'Run this model on the processor (backend cpu).' },
  'model-corrupt': { code: 'model-corrupt', remedy: "Check the model's weights and its retaining heads." },
};

/** The error of a call into the native engine as the product's own. */
export function cudaError(error: unknown): LocretError {
  if (error instanceof LocretError) return error;
  const known = remedies[systemErrorCode(error) ?? ''];
  if (known !== undefined) return new LocretError(known.code, messageOf(error), known.remedy, { cause: error });
  return new LocretError(
    'engine-failed',
    `The GPU engine failed: ${messageOf(error)}`,
    'Load the model again; if it happens again, run on the processor (backend cpu) and report this message.',
    { cause: error },
  );
}

/** Runs a call into the native engine. @throws LocretError */
export function guardCuda<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw cudaError(error);
  }
}
