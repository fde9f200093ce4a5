import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CachePrecision } from '../server/contract/words.js';
import type { ChosenBackend } from '../server/engine/engine.js';

const emulated = fileURLToPath(new URL('../.cache/cuda/emulated/locret-cuda-emulated.node', import.meta.url));

/**
 * The CUDA engine under test: with its kernels on the processor (`npm run build:cuda -- --emulated`), unless
 * LOCRET_CUDA_BINDING names one for this machine's GPU.
 */
export const cudaBinding = path.resolve(process.env['LOCRET_CUDA_BINDING'] ?? emulated);

/** False where it was not built, for want of a C++ compiler. */
export const hasCuda = existsSync(cudaBinding);

/** The first device of it. */
export function cudaDevice(cachePrecision: CachePrecision = 'full'): ChosenBackend {
  return { name: 'cuda', options: { binding: cudaBinding, device: 0, cachePrecision } };
}
