import { rename, rm } from 'node:fs/promises';
import type { HeadInput } from '../contract/words.js';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';
import { seededRandom } from '../engine/random.js';
import { headInputWidth } from '../model/checkpoint.js';
import { headInputKey, headTensorName } from '../model/retaining-heads.js';
import { type TensorToWrite, writeSafetensors } from '../model/safetensors-writer.js';
import type { ModelShape } from '../model/shape.js';

/** One layer's head. */
export interface LayerWeights {
  /** `[width, inputs]` */
  readonly first: Float32Array;
  /** `[kvHeads, width]` */
  readonly second: Float32Array;
}

/** Spread of the weights at the beginning, as the published heads begin. */
const initialDeviation = 0.02;

/** Numbers of a normal distribution (Box and Muller), the same for a seed on every machine. */
function normalNumbers(count: number, deviation: number, random: () => number): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < count) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}

/** Heads before training: normally distributed weights. */
export function initialWeights(shape: ModelShape, input: HeadInput, width: number, seed: number): LayerWeights[] {
  const random = seededRandom(seed);
  const inputs = headInputWidth(shape, input);
  return shape.layers.map(() => ({
    first: normalNumbers(width * inputs, initialDeviation, random),
    second: normalNumbers(shape.kvHeads * width, initialDeviation, random),
  }));
}

/** A file that is replaced as a whole: it is written under another name, then renamed. */
export async function writeWhole(
  file: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const temporary = `${file}.${process.pid}.partial`;
  try {
    await writeSafetensors(temporary, tensors, metadata);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (systemErrorCode(error) === undefined) throw error;
    throw new LocretError(
      'disk-full',
      `${file} cannot be written: ${messageOf(error)}.`,
      systemErrorCode(error) === 'ENOSPC'
        ? 'Free space on that disk.'
        : 'Name a file in a folder that you may write to.',
      { cause: error },
    );
  }
}

/**
 * Writes heads under the official names.
 * @param facts what else is told about them: how they were trained
 * @throws LocretError disk-full; an earlier file is untouched
 */
export async function writeHeads(
  file: string,
  layers: readonly LayerWeights[],
  shape: ModelShape,
  input: HeadInput,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const inputs = headInputWidth(shape, input);
  const tensors = layers.flatMap(({ first, second }, layer): TensorToWrite[] => {
    const width = first.length / inputs;
    return [
      { name: headTensorName(layer, 'fc1'), dtype: 'F32', shape: [width, inputs], data: () => [first] },
      { name: headTensorName(layer, 'fc2'), dtype: 'F32', shape: [shape.kvHeads, width], data: () => [second] },
    ];
  });
  await writeWhole(file, tensors, { format: 'pt', ...facts, [headInputKey]: input });
}
