import { createHash } from 'node:crypto';
import { isLocretError, type LocretError } from '../errors.js';
import { headInputWidth, type HeadInput, type RetainingHeads } from './checkpoint.js';
import type { Refusal } from './json-fields.js';
import { isPytorchFile, PytorchFile } from './pytorch-file.js';
import { SafetensorsFile, weightTypes } from './safetensors.js';
import type { ModelShape } from './shape.js';

const MAX_WIDTH = 1 << 16;

const DAMAGED_HEADS: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Use retaining heads that were trained for this model, or none.',
};

/** The key of a heads file's metadata that says what the heads read; without it `qkv`, as published. */
export const headInputKey = 'locret.input';

/** The key of a heads file's metadata that says with which labels the heads were trained. */
export const headLabelsKey = 'locret.labels';

/** The official name of a head's matrix. */
export function headTensorName(layer: number, part: 'fc1' | 'fc2'): string {
  return `model.layers.${layer}.self_attn.${part}.weight`;
}

/** A file of named tensors. */
interface HeadFile {
  shapeOf(name: string): readonly number[] | undefined;
  /** The numbers of a tensor that must have this shape. */
  read(name: string, shape: readonly number[]): Float32Array;
  readonly input: string | undefined;
  refuse(what: string): LocretError;
  close(): void;
}

function openSafetensors(file: string): HeadFile {
  const opened = SafetensorsFile.open(file, DAMAGED_HEADS);
  return {
    shapeOf: (name) => opened.tensors.get(name)?.shape,
    read: (name, shape) => {
      const entry = opened.expect(name, shape, weightTypes);
      return opened.readFloats(
        entry,
        0,
        shape.reduce((product, size) => product * size, 1),
      );
    },
    input: opened.metadata.get(headInputKey),
    refuse: (what) => opened.refuse(what),
    close: () => {
      opened.close();
    },
  };
}

function openPytorch(file: string): HeadFile {
  const opened = PytorchFile.open(file, DAMAGED_HEADS);
  return {
    shapeOf: (name) => opened.tensors.get(name)?.shape,
    read: (name, shape) => {
      const found = opened.tensors.get(name)?.shape;
      const expected = `a tensor "${name}" of shape [${shape.join(', ')}]`;
      if (found === undefined) throw opened.refuse(`has no tensor "${name}"; expected ${expected}`);
      if (found.length !== shape.length || found.some((size, axis) => size !== shape[axis])) {
        throw opened.refuse(`has a tensor "${name}" of shape [${found.join(', ')}]; expected ${expected}`);
      }
      return opened.readFloats(name);
    },
    input: undefined,
    refuse: (what) => opened.refuse(what),
    close: () => {
      opened.close();
    },
  };
}

function inputOf(opened: HeadFile): HeadInput {
  const { input = 'qkv' } = opened;
  if (input === 'qkv' || input === 'hidden') return input;
  throw opened.refuse(`says that its heads read ${JSON.stringify(input)}; expected "qkv" or "hidden"`);
}

/**
 * Reads the retaining heads of a model under the official names `model.layers.{i}.self_attn.fc1.weight` and
 * `fc2.weight` (arXiv 2410.01805, section 3.2), from safetensors or from a PyTorch checkpoint, of which nothing is run.
 * They are small and stay in memory; the file is closed again.
 * @throws LocretError heads-corrupt when the file is damaged or its tensors do not fit the model's shape
 */
export function openRetainingHeads(file: string, shape: ModelShape): RetainingHeads {
  const opened = isPytorchFile(file, DAMAGED_HEADS) ? openPytorch(file) : openSafetensors(file);
  try {
    const input = inputOf(opened);
    const first = headTensorName(0, 'fc1');
    const width = opened.shapeOf(first)?.[0] ?? 0;
    if (opened.shapeOf(first) !== undefined && (width < 1 || width > MAX_WIDTH)) {
      throw opened.refuse(`has a tensor "${first}" of ${width} rows; expected 1 to ${MAX_WIDTH}`);
    }
    if (opened.shapeOf(headTensorName(shape.layers, 'fc1')) !== undefined) {
      throw opened.refuse(`has heads of a layer ${shape.layers}; the model has layers 0 to ${shape.layers - 1}`);
    }
    const read = (name: string, size: readonly number[]): Float32Array => {
      const weights = opened.read(name, size);
      if (!weights.every(Number.isFinite)) throw opened.refuse(`has a tensor "${name}" with a number not finite`);
      return weights;
    };
    const inputs = headInputWidth(shape, input);
    const layers = Array.from({ length: shape.layers }, (_, layer) => ({
      first: read(headTensorName(layer, 'fc1'), [width, inputs]),
      second: read(headTensorName(layer, 'fc2'), [shape.kvHeads, width]),
    }));
    const of = (layer: number): { first: Float32Array; second: Float32Array } => {
      const weights = layers[layer];
      if (weights === undefined) throw new RangeError(`layer ${layer} of ${shape.layers}`);
      return weights;
    };
    const hash = createHash('sha256');
    // Published heads keep the identity that they had before there were others.
    if (input !== 'qkv') hash.update(input);
    for (const weights of layers) hash.update(weights.first).update(weights.second);
    return {
      file,
      fingerprint: hash.digest('hex'),
      input,
      width,
      first: (layer) => of(layer).first,
      second: (layer) => of(layer).second,
    };
  } finally {
    opened.close();
  }
}

/**
 * With which labels heads were trained, as their file tells; only its header is read.
 * @returns undefined when it does not tell, as published heads, or cannot be read: whoever loads the heads says why
 */
export function headLabels(file: string): string | undefined {
  try {
    if (isPytorchFile(file, DAMAGED_HEADS)) return undefined;
    const opened = SafetensorsFile.open(file, DAMAGED_HEADS);
    opened.close();
    return opened.metadata.get(headLabelsKey);
  } catch (error) {
    if (isLocretError(error)) return undefined;
    throw error;
  }
}
