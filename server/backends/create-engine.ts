import { createCudaEngine } from './cuda/engine.js';
import type { Engine, EngineOptions } from '../engine/engine.js';
import { createOnnxEngine } from './processor/engine.js';

/**
 * Loads a model where the options say: on a GPU or on the processor.
 * @throws LocretError what {@link createCudaEngine} or {@link createOnnxEngine} throw
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  return options.cuda === undefined ? createOnnxEngine(options) : createCudaEngine(options, options.cuda);
}
