import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocretError, messageOf } from '../../errors.js';

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

/** `LocretConfig` of shaders-cuda/engine/locret-cuda.h. */
export interface CudaConfig {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly rotaryDim: number;
  readonly slidingWindow: number;
  readonly normEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly feedForwardBias: boolean;
  readonly queryKeyNorm: boolean;
  readonly headWidth: number;
  readonly headInput: number;
  readonly policy: number;
  readonly weightFormat: number;
  readonly cacheFormat: number;
  readonly budget: number;
  readonly chunk: number;
  readonly stabilizers: number;
  readonly pinned: number;
  readonly capacity: number;
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
  load(
    engine: CudaHandle,
    tensor: number,
    layer: number,
    firstRow: number,
    rows: number,
    columns: number,
    format: number,
    values: Uint8Array,
  ): void;
  ready(engine: CudaHandle): void;
  state(engine: CudaHandle): CudaState;
  pass(
    engine: CudaHandle,
    tokens: Int32Array,
    firstTokenIndex: number,
    eviction: number,
    logits: number,
    logitRows: Float32Array | null,
    observeFrom: number,
    ranks: Float32Array | null,
    scores: Float32Array | null,
    tokenIndices: Int32Array | null,
    kept: Int32Array | null,
    bonuses: Float32Array | null,
  ): CudaPassTimes;
  step(engine: CudaHandle, token: number, observe: number): void;
  lastLogits(engine: CudaHandle, logits: Float32Array): void;
  likeliest(engine: CudaHandle): number;
  startObserving(engine: CudaHandle, reach: number): void;
  observed(engine: CudaHandle, mass: Float64Array): number;
  rewind(engine: CudaHandle, length: number, nextTokenIndex: number, evictions: number): void;
  clear(engine: CudaHandle): void;
  forget(engine: CudaHandle, ranges: Int32Array): number;
  exportLayer(
    engine: CudaHandle,
    layer: number,
    units: Uint8Array,
    scores: Float32Array,
    tokenIndices: Int32Array,
  ): void;
  importLayer(
    engine: CudaHandle,
    layer: number,
    length: number,
    units: Uint8Array,
    scores: Float32Array,
    tokenIndices: Int32Array,
  ): void;
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
