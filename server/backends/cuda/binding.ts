import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocretError, messageOf } from '../../errors.js';
import type { CudaConfig } from './config.js';

/** A GPU as the driver tells of it. */
export interface CudaDevice {
  readonly name: string;
  /** Compute capability. */
  readonly computeMajor: number;
  readonly computeMinor: number;
  readonly multiprocessors: number;
  /** Whether the engine has code for it. */
  readonly supported: boolean;
  readonly totalBytes: number;
  /** Free once the driver's own share is taken. */
  readonly freeBytes: number;
}

export interface CudaDevices {
  /** 1000 · major + 10 · minor; 0 without a driver. */
  readonly driverVersion: number;
  readonly runtimeVersion: number;
  /** Why no device can be used; empty otherwise. */
  readonly problem: string;
  readonly devices: readonly CudaDevice[];
}

/** `LocretPlan`: bytes of device memory. */
export interface CudaPlan {
  readonly weightBytes: number;
  readonly headBytes: number;
  readonly cacheBytes: number;
  readonly stagingBytes: number;
  readonly workspaceBytes: number;
  readonly logitBytes: number;
  readonly loadingBytes: number;
  readonly unitBytes: number;
  readonly layerTableBytes: number;
  readonly totalBytes: number;
}

declare const openEngine: unique symbol;

/** An open engine; only the module knows what it is. */
export interface CudaHandle {
  readonly [openEngine]: true;
}

export interface CudaState {
  readonly length: number;
  readonly nextTokenIndex: number;
  readonly evictions: number;
  readonly hasLogits: boolean;
}

/** `LocretPiece`: some rows of a tensor. */
export interface CudaPiece {
  readonly tensor: number;
  readonly layer: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
  readonly format: number;
  readonly values: Uint8Array;
}

/** `LocretDecision`: what an eviction went by; arrays over the KV heads of all layers. */
export interface CudaDecision {
  readonly ranks: Float32Array;
  readonly scores: Float32Array | null;
  readonly tokenIndices: Int32Array;
  readonly kept: Int32Array;
}

/** `LocretPass`: what null stands for is not wanted. The sizes of all arrays are the caller's to know. */
export interface CudaPass {
  readonly tokens: Int32Array;
  readonly firstTokenIndex: number;
  readonly eviction: number;
  readonly logits: number;
  readonly logitRows: Float32Array | null;
  readonly observeFrom: number;
  readonly bonuses: Float32Array | null;
  readonly decision: CudaDecision | null;
}

/** `LocretLayer`: one layer of the cache as it lies on the device. */
export interface CudaLayer {
  readonly units: Uint8Array;
  readonly scores: Float32Array;
  readonly tokenIndices: Int32Array;
}

/** Milliseconds on the device; `scoring` is part of `model`. */
export interface CudaPassTimes {
  readonly model: number;
  readonly scoring: number;
  readonly eviction: number;
}

/**
 * The module that shaders-cuda/binding makes of the CUDA engine: what shaders-cuda/engine/locret-cuda.h describes. Calls
 * are synchronous; what fails throws an Error with a `code` of {@link ErrorCode}.
 */
export interface CudaBinding {
  /** Changes whenever the same weights and tokens may give other numbers than before. */
  readonly numerics: number;
  devices(): CudaDevices;
  plan(config: CudaConfig): CudaPlan;
  /** @param cosine, sine float32 `[capacity, rotaryDim / 2]` */
  open(config: CudaConfig, cosine: Float32Array, sine: Float32Array, device: number): CudaHandle;
  close(engine: CudaHandle): void;
  load(engine: CudaHandle, piece: CudaPiece): void;
  ready(engine: CudaHandle): void;
  state(engine: CudaHandle): CudaState;
  pass(engine: CudaHandle, pass: CudaPass): CudaPassTimes;
  step(engine: CudaHandle, token: number, observe: number): void;
  lastLogits(engine: CudaHandle, logits: Float32Array): void;
  likeliest(engine: CudaHandle): number;
  startObserving(engine: CudaHandle, reach: number): void;
  observed(engine: CudaHandle, mass: Float64Array): number;
  rewind(engine: CudaHandle, mark: Omit<CudaState, 'hasLogits'>): void;
  clear(engine: CudaHandle): void;
  forget(engine: CudaHandle, ranges: Int32Array): number;
  exportLayer(engine: CudaHandle, layer: number, target: CudaLayer): void;
  importLayer(engine: CudaHandle, layer: number, length: number, source: CudaLayer): void;
  resume(engine: CudaHandle, length: number, nextTokenIndex: number): void;
  tokenIndices(engine: CudaHandle, tokenIndices: Int32Array): void;
  memory(): { readonly allocatedBytes: number; readonly peakBytes: number };
}

const functions = [
  ...['devices', 'plan', 'open', 'close', 'load', 'ready', 'state', 'pass', 'step', 'lastLogits', 'likeliest'],
  ...['startObserving', 'observed', 'rewind', 'clear', 'forget', 'exportLayer', 'importLayer', 'resume'],
  ...['tokenIndices', 'memory'],
];

function isCudaBinding(module: unknown): module is CudaBinding {
  if (typeof module !== 'object' || module === null) return false;
  const members = new Map<string, unknown>(Object.entries(module));
  return (
    typeof members.get('numerics') === 'number' && functions.every((name) => typeof members.get(name) === 'function')
  );
}

/**
 * The file of the CUDA engine: beside the program's bundles, unless LOCRET_CUDA_BINDING names another. Undefined when it
 * is not there.
 */
export function cudaBindingFile(): string | undefined {
  const chosen = process.env['LOCRET_CUDA_BINDING'];
  if (chosen !== undefined && chosen !== '') return path.resolve(chosen);
  const isSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(
    new URL(isSource ? '../../../dist/locret-cuda.node' : './locret-cuda.node', import.meta.url),
  );
  return existsSync(file) ? file : undefined;
}

/** What helps against an engine that the system cannot load. */
function loadingRemedy(message: string): string {
  const glibc = /version [`'"]?GLIBC_([\d.]+)/.exec(message)?.[1];
  return glibc === undefined
    ? 'Build it again with `npm run build:cuda`, or install the package for this system again.'
    : `It needs a Linux with glibc ${glibc} or newer; on this one, build it with \`npm run build:cuda\`.`;
}

/**
 * Loads the CUDA engine. It opens without a GPU, too: `devices` says so then.
 * @throws LocretError engine-failed when the file is none, or of another version
 */
export function loadCudaBinding(file: string): CudaBinding {
  const load: (file: string) => unknown = createRequire(import.meta.url);
  let module: unknown;
  try {
    module = load(file);
  } catch (error) {
    const message = messageOf(error);
    const text = `The GPU engine ${file} cannot be loaded: ${message}.`;
    throw new LocretError('engine-failed', text, loadingRemedy(message), { cause: error });
  }
  if (isCudaBinding(module)) return module;
  throw new LocretError(
    'engine-failed',
    `${file} is no GPU engine of this version.`,
    'Build it again with `npm run build:cuda`, or install the package again.',
  );
}
