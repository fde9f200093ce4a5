import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { LocretError } from '../errors.js';
import { readStored } from '../memory/keeping/stored-json.js';
import type { Refusal } from '../model/json-fields.js';
import { SafetensorsFile } from '../model/safetensors.js';
import type { TensorToWrite } from '../model/safetensors-writer.js';
import { headMatrices } from './graphs/head-training-graphs.js';
import type { LayerState, MatrixState } from './head-optimizer.js';
import { writeWhole } from './head-weights.js';
import { courseStateOf, type CourseState } from './training-course.js';

const damaged: Refusal = {
  code: 'heads-corrupt',
  remedy: 'Begin the training anew with --fresh; what was trained so far is lost.',
};
const format = 'locret-training-2';
const parts: readonly (keyof MatrixState)[] = ['weight', 'mean', 'square'];

/** Where a training stands. */
export interface TrainingCheckpoint {
  /** Steps made. */
  readonly steps: number;
  /** Steps of the whole training. */
  readonly of: number;
  readonly layers: readonly LayerState[];
  readonly course: CourseState;
}

/** What a checkpoint tells without its weights. */
export interface PausedTraining extends Pick<TrainingCheckpoint, 'steps' | 'of'> {
  /** Of everything that the numbers depend on. */
  readonly identity: string;
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
  const { steps, of, course } = checkpoint;
  const facts = { format, identity, steps: String(steps), of: String(of), course: JSON.stringify(course) };
  await writeWhole(file, tensors, facts);
}

function openCheckpoint(file: string): SafetensorsFile | undefined {
  if (!existsSync(file)) return undefined;
  const opened = SafetensorsFile.open(file, damaged);
  if (opened.metadata.get('format') === format) return opened;
  opened.close();
  throw opened.refuse('is no checkpoint of a training');
}

function pausedIn(opened: SafetensorsFile): PausedTraining {
  const { metadata } = opened;
  const count = (name: string): number => {
    const value = Number(metadata.get(name) ?? NaN);
    if (!Number.isSafeInteger(value) || value < 0) throw opened.refuse('does not say how many steps were made');
    return value;
  };
  return { steps: count('steps'), of: count('of'), identity: metadata.get('identity') ?? '' };
}

/**
 * How far the training came whose checkpoint lies in a file.
 * @returns undefined when there is none
 * @throws LocretError heads-corrupt when it is damaged
 */
export function readPausedTraining(file: string): PausedTraining | undefined {
  const opened = openCheckpoint(file);
  if (opened === undefined) return undefined;
  opened.close();
  return pausedIn(opened);
}

function courseIn(opened: SafetensorsFile): CourseState {
  try {
    return courseStateOf(readStored(opened.metadata.get('course') ?? '', 'course'));
  } catch {
    throw opened.refuse('does not say how the training went');
  }
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
  const opened = openCheckpoint(file);
  if (opened === undefined) return undefined;
  try {
    const paused = pausedIn(opened);
    if (paused.identity !== identity) {
      throw new LocretError(
        'invalid-argument',
        `${file} is the checkpoint of another training: its model, repositories or settings are not these.`,
        'Give the settings with which it was begun, or begin anew with --fresh.',
      );
    }
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
    return { steps: paused.steps, of: paused.of, layers: states, course: courseIn(opened) };
  } finally {
    opened.close();
  }
}

/** Gives a training up: removes its checkpoint, if there is one. Heads that were written before stay. */
export async function discardTraining(out: string): Promise<void> {
  await rm(checkpointFile(out), { force: true });
}
