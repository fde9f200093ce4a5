import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { LocretError } from '../errors.js';
import type { Refusal } from '../model/json-fields.js';
import { SafetensorsFile } from '../model/safetensors.js';
import type { TensorToWrite } from '../model/safetensors-writer.js';
import { headMatrices } from '../onnx/head-training-graphs.js';
import type { LayerState, MatrixState } from './head-optimizer.js';
import { writeWhole } from './head-weights.js';

const damaged: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Begin the training anew with --fresh; what was trained so far is lost.',
};
const format = 'locret-training-1';
const parts: readonly (keyof MatrixState)[] = ['weight', 'mean', 'square'];

/** Where a training stands. */
export interface TrainingCheckpoint {
  /** Steps made. */
  readonly steps: number;
  readonly layers: readonly LayerState[];
}

/** The checkpoint of the training whose heads are written to a file: it lies beside it. */
export function checkpointFile(out: string): string {
  return `${out}.training`;
}

const tensorName = (layer: number, matrix: string, part: string): string => `layers.${layer}.${matrix}.${part}`;

/**
 * Keeps where a training stands; the checkpoint before stays until the new one is whole.
 * @param identity of everything that the numbers depend on
 * @throws LocretError disk-full
 */
export async function writeCheckpoint(file: string, checkpoint: TrainingCheckpoint, identity: string): Promise<void> {
  const tensors = checkpoint.layers.flatMap((layer, index) =>
    headMatrices.flatMap((matrix) =>
      parts.map((part): TensorToWrite => {
        const data = layer[matrix][part];
        return { name: tensorName(index, matrix, part), dtype: 'F32', shape: [data.length], data: () => [data] };
      }),
    ),
  );
  await writeWhole(file, tensors, { format, identity, steps: String(checkpoint.steps) });
}

/**
 * Reads a checkpoint.
 * @param sizes numbers of each layer's two matrices
 * @returns undefined when there is none
 * @throws LocretError heads-corrupt when it is damaged, invalid-argument when it belongs to another training
 */
export function readCheckpoint(
  file: string,
  identity: string,
  layers: number,
  sizes: { readonly first: number; readonly second: number },
): TrainingCheckpoint | undefined {
  if (!existsSync(file)) return undefined;
  const opened = SafetensorsFile.open(file, damaged);
  try {
    const { metadata } = opened;
    if (metadata.get('format') !== format) throw opened.refuse('is no checkpoint of a training');
    if (metadata.get('identity') !== identity) {
      throw new LocretError(
        'invalid-argument',
        `${file} is the checkpoint of another training: its model, repositories or settings are not these.`,
        'Give the settings with which it was begun, or begin anew with --fresh.',
      );
    }
    const steps = Number(metadata.get('steps'));
    if (!Number.isSafeInteger(steps) || steps < 0) throw opened.refuse('does not say how many steps were made');
    const read = (layer: number, matrix: 'first' | 'second', part: keyof MatrixState): Float32Array => {
      const size = sizes[matrix];
      const entry = opened.expect(tensorName(layer, matrix, part), [size], ['F32']);
      const numbers = opened.readFloats(entry, 0, size);
      if (!numbers.every(Number.isFinite)) throw opened.refuse(`has a tensor "${entry.name}" with a number not finite`);
      return numbers;
    };
    const stateOf = (layer: number, matrix: 'first' | 'second'): MatrixState => ({
      weight: read(layer, matrix, 'weight'),
      mean: read(layer, matrix, 'mean'),
      square: read(layer, matrix, 'square'),
    });
    const states = Array.from({ length: layers }, (_, layer) => ({
      first: stateOf(layer, 'first'),
      second: stateOf(layer, 'second'),
    }));
    return { steps, layers: states };
  } finally {
    opened.close();
  }
}

/** Gives a training up: removes its checkpoint, if there is one. Heads that were written before stay. */
export async function discardTraining(out: string): Promise<void> {
  await rm(checkpointFile(out), { force: true });
}
