import { isLocretError, messageOf } from '../../errors.js';
import type { Missing } from '../backend.js';
import { type CudaBinding, cudaBindingFile, type CudaDevice, loadCudaBinding } from './binding.js';
import { guardCuda } from './errors.js';

/** A device that the engine can run on. */
export interface UsableDevice extends CudaDevice {
  readonly index: number;
}

/** What of a GPU is there. */
export interface CudaPresence {
  /** 1000 · major + 10 · minor of the CUDA version that the driver can; 0 without a driver or without the engine. */
  readonly driverVersion: number;
  /** All devices that the driver shows, the unsupported ones too. */
  readonly devices: readonly CudaDevice[];
  /** The engine, when a device can be used, and those devices with most free memory first. */
  readonly usable: UsableCuda | undefined;
  /** Why none can be used, as the end of a sentence, and what helps. */
  readonly missing: Missing | undefined;
}

export interface UsableCuda {
  readonly file: string;
  readonly binding: CudaBinding;
  readonly devices: readonly UsableDevice[];
}

function absent(problem: string, remedy: string, found: Partial<CudaPresence> = {}): CudaPresence {
  return { driverVersion: 0, devices: [], usable: undefined, ...found, missing: { problem, remedy } };
}

function describe({ name, computeMajor, computeMinor }: CudaDevice): string {
  return `${name} has compute capability ${computeMajor}.${computeMinor}`;
}

/**
 * Looks for GPUs and for the engine that runs on them. Nothing that is missing is an error.
 * @param file of the engine; undefined when it is not installed
 */
export function findCuda(file = cudaBindingFile()): CudaPresence {
  if (file === undefined) {
    return absent(
      'the GPU engine is not part of this installation',
      'It comes with the package for Linux x64; in a checkout build it with `npm run build:cuda` (needs nvcc 13).',
    );
  }
  let binding: CudaBinding;
  let found;
  try {
    binding = loadCudaBinding(file);
    found = guardCuda(() => binding.devices());
  } catch (error) {
    const remedy = isLocretError(error) ? error.remedy : 'Run on the processor (backend cpu).';
    return absent(messageOf(error).replace(/\.$/, ''), remedy);
  }
  const { driverVersion, devices, problem } = found;
  if (problem !== '' || devices.length === 0) {
    return absent(
      problem === '' ? 'the driver shows no NVIDIA GPU' : problem,
      'Install the NVIDIA driver, version 580 or newer, for a GPU of the Ampere generation (2020) or newer.',
      { driverVersion },
    );
  }
  const usable = devices
    .map((device, index) => ({ ...device, index }))
    .filter(({ supported }) => supported)
    .sort((a, b) => b.freeBytes - a.freeBytes);
  if (usable.length === 0) {
    return absent(
      `${devices.map(describe).join(', ')}, and the GPU engine has no code for that`,
      'A GPU of the Ampere generation (2020, compute capability 8.0) or newer is needed, and an engine built for it.',
      { driverVersion, devices },
    );
  }
  return { driverVersion, devices, usable: { file, binding, devices: usable }, missing: undefined };
}
