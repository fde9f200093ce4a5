import type { ProcessorPrecision, WeightPrecision } from '../../contract/words.js';
import { LocretError } from '../../errors.js';
import { isSmall } from '../../memory/planning/basis.js';
import type { ModelShape } from '../../model/shape.js';

/** The weights of a model on the processor, where nothing else is asked for. */
export function usualPrecision(shape: ModelShape): ProcessorPrecision {
  return isSmall(shape) ? 'float32' : 'int8';
}

/** @throws LocretError invalid-argument for a precision that only a GPU has */
export function processorPrecision(precision: WeightPrecision): ProcessorPrecision {
  if (precision !== 'bfloat16' && precision !== 'float16') return precision;
  throw new LocretError(
    'invalid-argument',
    `Weights in ${precision} need a GPU, and the model is to run on the processor.`,
    'Choose float32, int8 or int4 (--precision), or the backend cuda.',
  );
}
