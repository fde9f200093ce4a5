import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CachePrecision, CudaOptions } from '../server/engine/engine.js';

/** The CUDA engine with its kernels on the processor: `npm run build:cuda -- --emulated`. */
export const emulatedBinding = fileURLToPath(
  new URL('../.cache/cuda/emulated/locret-cuda-emulated.node', import.meta.url),
);

/** False where it was not built, for want of a C++ compiler. */
export const hasEmulation = existsSync(emulatedBinding);

/** The emulated device. */
export function emulatedDevice(cachePrecision: CachePrecision = 'full'): CudaOptions {
  return { binding: emulatedBinding, device: 0, cachePrecision };
}
