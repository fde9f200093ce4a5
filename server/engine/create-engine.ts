import { createCudaEngine } from './cuda-engine.js';
import type { Engine, EngineOptions } from './engine.js';
import { createOnnxEngine } from './onnx-engine.js';

/**
 * Loads a model where the options say: on a GPU or on the processor.
 * @throws LocretError what {@link createCudaEngine} or {@link createOnnxEngine} throw
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  return options.cuda === undefined ? createOnnxEngine(options) : createCudaEngine(options, options.cuda);
}
