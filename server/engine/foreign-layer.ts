import { LocretError } from '../errors.js';

/** The error for a layer of a cache to be restored that is not of this engine. */
export function foreignLayer(layer: number, found: string, expected: string): LocretError {
  return new LocretError(
    'snapshot-foreign',
    `Layer ${layer} of the cache to be restored has ${found}; this model and plan expect ${expected}.`,
    'Read the repository again with this model and these settings.',
  );
}
