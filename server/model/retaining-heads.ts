import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { HeadInput } from '../contract/words.js';
import { isLocretError } from '../errors.js';
import { headInputWidth, type RetainingHeads } from './checkpoint.js';
import type { Refusal } from './json-fields.js';
import { numbersOf, SafetensorsFile, weightTypes, type TensorEntry } from './safetensors.js';
import type { ModelShape } from './shape.js';
import { openRegularFile, readFully, refuse } from './weight-file.js';

const mostWidth = 1 << 16;

const damagedHeads: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Use retaining heads that were trained for this model, or none.',
};

/** The key of a heads file's metadata that says what the heads read; without it `qkv`, as published. */
export const headInputKey = 'locret.input';

/** The key of a heads file's metadata that says with which labels the heads were trained. */
export const headLabelsKey = 'locret.labels';

/** The key of a heads file's metadata that holds the identity of the model that the heads are for (`modelIdentity`). */
export const headModelKey = 'locret.model';

/** The official name of a head's matrix. */
export function headTensorName(layer: number, part: 'fc1' | 'fc2'): string {
  return `model.layers.${layer}.self_attn.${part}.weight`;
}

const unconvertedHeads: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Convert it with training/release/convert_heads.py, and use the safetensors file that it writes.',
};

/** What PyTorch's own files begin with: they are zip archives. */
const zipMagic = Buffer.from('PK\x03\x04', 'latin1');

/** What the header of a file of retaining heads tells of them. */
export interface HeadsHeader {
  readonly input: HeadInput;
  /** Width between the two linear layers (d_R). */
  readonly width: number;
  /** With which labels they were trained; undefined where the file does not tell, as published heads. */
  readonly labels: string | undefined;
  /** Identity of the model that they are for; undefined where the file does not tell. */
  readonly model: string | undefined;
}

/** An open file of heads that fit a model. */
interface OpenedHeads extends HeadsHeader {
  readonly file: SafetensorsFile;
  readonly layers: readonly { readonly first: TensorEntry; readonly second: TensorEntry }[];
}

function openHeadsFile(path: string): SafetensorsFile {
  const begin = new Uint8Array(zipMagic.length);
  const descriptor = openRegularFile(path, damagedHeads);
  try {
    readFully(descriptor, begin, 0);
  } finally {
    closeSync(descriptor);
  }
  if (zipMagic.equals(begin)) throw refuse(path, unconvertedHeads, 'is a PyTorch file, not a safetensors file');
  return SafetensorsFile.open(path, damagedHeads);
}

function inputOf(file: SafetensorsFile): HeadInput {
  const input = file.metadata.get(headInputKey) ?? 'qkv';
  if (input === 'qkv' || input === 'hidden') return input;
  throw file.refuse(`says that its heads read ${JSON.stringify(input)}; expected "qkv" or "hidden"`);
}

function openHeads(path: string, shape: ModelShape): OpenedHeads {
  const file = openHeadsFile(path);
  try {
    const input = inputOf(file);
    const count = shape.layers.length;
    const name = headTensorName(0, 'fc1');
    const width = file.tensors.get(name)?.shape[0] ?? 0;
    if (file.tensors.has(name) && (width < 1 || width > mostWidth)) {
      throw file.refuse(`has a tensor "${name}" of ${width} rows; expected 1 to ${mostWidth}`);
    }
    if (file.tensors.has(headTensorName(count, 'fc1'))) {
      throw file.refuse(`has heads of a layer ${count}; the model has layers 0 to ${count - 1}`);
    }
    const inputs = headInputWidth(shape, input);
    const layers = shape.layers.map((_, layer) => ({
      first: file.expect(headTensorName(layer, 'fc1'), [width, inputs], weightTypes),
      second: file.expect(headTensorName(layer, 'fc2'), [shape.kvHeads, width], weightTypes),
    }));
    const { metadata } = file;
    return { file, input, width, labels: metadata.get(headLabelsKey), model: metadata.get(headModelKey), layers };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads what the header of a file of retaining heads tells, and checks that they fit the model; their numbers are not
 * read.
 * @throws LocretError heads-corrupt when the header is damaged or its tensors do not fit the model's shape
 */
export function readHeadsHeader(path: string, shape: ModelShape): HeadsHeader {
  const { file, input, width, labels, model } = openHeads(path, shape);
  file.close();
  return { input, width, labels, model };
}

/** The numbers of a tensor. */
function readFinite(file: SafetensorsFile, entry: TensorEntry): Float32Array {
  const weights = file.readFloats(entry, 0, numbersOf(entry));
  if (!weights.every(Number.isFinite)) throw file.refuse(`has a tensor "${entry.name}" with a number not finite`);
  return weights;
}

/**
 * Reads the retaining heads of a model under the official names `model.layers.{i}.self_attn.fc1.weight` and
 * `fc2.weight` (arXiv 2410.01805, section 3.2) from a safetensors file. They are small and stay in memory; the file is
 * closed again.
 * @throws LocretError heads-corrupt when the file is damaged or its tensors do not fit the model's shape
 */
export function openRetainingHeads(path: string, shape: ModelShape): RetainingHeads {
  const { file, input, width, layers: entries } = openHeads(path, shape);
  try {
    const layers = entries.map(({ first, second }) => ({
      first: readFinite(file, first),
      second: readFinite(file, second),
    }));
    const of = (layer: number): { first: Float32Array; second: Float32Array } => {
      const weights = layers[layer];
      if (weights === undefined) throw new RangeError(`layer ${layer} of ${shape.layers.length}`);
      return weights;
    };
    const hash = createHash('sha256');
    // Published heads keep the identity that they had before there were others.
    if (input !== 'qkv') hash.update(input);
    for (const { first, second } of layers) hash.update(first).update(second);
    return {
      file: path,
      fingerprint: hash.digest('hex'),
      input,
      width,
      first: (layer) => of(layer).first,
      second: (layer) => of(layer).second,
    };
  } finally {
    file.close();
  }
}

/**
 * With which labels heads were trained, as their file tells; only its header is read.
 * @returns undefined when it does not tell, as published heads, or cannot be read: whoever loads the heads says why
 */
export function headLabels(path: string): string | undefined {
  try {
    const file = openHeadsFile(path);
    file.close();
    return file.metadata.get(headLabelsKey);
  } catch (error) {
    if (isLocretError(error)) return undefined;
    throw error;
  }
}
