import type { Engine, EngineOptions } from '../engine/engine.js';
import { LocretError } from '../errors.js';
import type { Backend } from './backend.js';
import { cuda } from './cuda/backend.js';
import { processor } from './processor/backend.js';

/** Where models can run. The first one runs everything; of the others a later one is preferred. */
export const backends: readonly Backend[] = [processor, cuda];

export const backendNames: readonly string[] = backends.map(({ name }) => name);

/** @throws LocretError invalid-argument for a name that is none */
export function backendByName(name: string, among = backends): Backend {
  const backend = among.find((known) => known.name === name);
  if (backend !== undefined) return backend;
  const names = among.map((known) => known.name).join(', ');
  throw new LocretError('invalid-argument', `There is no backend "${name}".`, `Choose one of ${names}.`);
}

/**
 * Loads a model where the options say; on the processor if they say nothing.
 * @throws LocretError what {@link Backend.open} throws
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  return backendByName(options.backend?.name ?? processor.name).open(options);
}
