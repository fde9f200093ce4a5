import { openModelSource } from '../../model/open-model-source.js';
import type { WeightEncoding } from '../../model/weight-encoding.js';
import type { Backend, Device, Missing } from '../backend.js';
import type { CudaDevice } from './binding.js';
import { cudaName } from './config.js';
import { type CudaPresence, findCuda, type UsableCuda } from './devices.js';
import { createCudaEngine } from './engine.js';
import { chosenGpu, planCudaMemory } from './plan.js';

const noGpu: Missing = { problem: 'there is no GPU', remedy: 'Run on the processor.' };

/** How most of a model's weights are stored. Their headers are read, and not the weights. */
function encodingOf(place: string): WeightEncoding {
  const checkpoint = openModelSource(place).openWeights();
  try {
    return checkpoint.encoding;
  } finally {
    checkpoint.close();
  }
}

/** The GPU with most free memory. */
function deviceOf(cuda: UsableCuda): Device | undefined {
  const [first] = cuda.devices;
  if (first === undefined) return undefined;
  return {
    plan: (planning, reason) =>
      planCudaMemory({ ...planning, cuda, encoding: encodingOf(planning.model.place) }, reason),
    choose: (cachePrecision) => chosenGpu(cuda, first, cachePrecision),
  };
}

/** A GPU in one line. */
function rowOf(
  { name, computeMajor, computeMinor, freeBytes, totalBytes, supported }: CudaDevice,
  index: number,
  bytes: (count: number) => string,
): readonly [string, string] {
  const memory = `${bytes(freeBytes)} of ${bytes(totalBytes)} free`;
  const note = supported ? '' : ' · not supported';
  return [`GPU ${index}`, `${name} · compute capability ${computeMajor}.${computeMinor} · ${memory}${note}`];
}

/** Our own CUDA engine. @param find looks for GPUs */
export function cudaBackend(find: () => CudaPresence = findCuda): Backend {
  return {
    name: cudaName,
    detect() {
      const { driverVersion, devices, usable, missing } = find();
      const version = `${Math.floor(driverVersion / 1000)}.${Math.floor((driverVersion % 1000) / 10)}`;
      const found = {
        facts: { driverVersion, devices, ...(missing === undefined ? {} : { missing }) },
        rows: (bytes: (count: number) => string) => [
          ['driver', driverVersion === 0 ? 'none found' : `for CUDA up to ${version}`] as const,
          ...devices.map((device, index) => rowOf(device, index, bytes)),
        ],
      };
      const device = usable === undefined ? undefined : deviceOf(usable);
      return device === undefined ? { ...found, missing: missing ?? noGpu } : { ...found, device };
    },
    open: createCudaEngine,
  };
}

export const cuda = cudaBackend();
