import type { ProcessorPrecision, WeightPrecision } from '../../contract/words.js';
import { LocretError } from '../../errors.js';

/** @throws LocretError invalid-argument for a precision that only a GPU has */
export function processorPrecision(precision: WeightPrecision): ProcessorPrecision {
  if (precision !== 'bfloat16' && precision !== 'float16') return precision;
  throw new LocretError(
    'invalid-argument',
    `Weights in ${precision} need a GPU, and the model is to run on the processor.`,
    'Choose float32, int8 or int4 (--precision), or the backend cuda.',
  );
}
