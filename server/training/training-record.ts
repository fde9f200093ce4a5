import { isLocretError } from '../errors.js';
import { JsonValue } from '../memory/json-value.js';
import type { Refusal } from '../model/json-fields.js';
import { isPytorchFile } from '../model/pytorch-file.js';
import { SafetensorsFile } from '../model/safetensors.js';
import { labelKinds } from './label-kind.js';
import { pointsOf, type CoursePoint } from './training-course.js';
import type { WeightPrecision } from '../backends/processor/graph/linear.js';
import type { TrainingOptions } from './training-options.js';

/** How heads were trained, as their file tells it. */
export interface TrainingRecord {
  /** The model's name. */
  readonly model: string;
  /** Names of the repositories. */
  readonly repositories: readonly string[];
  readonly trainingFiles: number;
  readonly heldOutFiles: number;
  /** Tokens of a sample's text. */
  readonly tokens: number;
  readonly options: Omit<TrainingOptions, 'tokens' | 'threads' | 'precision'> & { readonly precision: WeightPrecision };
  readonly course: readonly CoursePoint[];
}

/** The key of a heads file's metadata that holds the record. */
export const trainingRecordKey = 'locret.training';

const damaged: Refusal = { code: 'heads-corrupt', remedy: 'Train the heads again, or use others.' };

function optionsOf(value: JsonValue): TrainingRecord['options'] {
  return {
    input: value.field('input').word(['qkv', 'hidden']),
    labels: value.field('labels').word(labelKinds),
    answers: value.field('answers').word(['source', 'model']),
    width: value.field('width').count(),
    steps: value.field('steps').count(),
    warmup: value.field('warmup').count(),
    rate: value.field('rate').number(),
    questions: value.field('questions').count(),
    seed: value.field('seed').count(),
    precision: value.field('precision').word(['float32', 'int8', 'int4']),
  };
}

function recordOf(text: string): TrainingRecord {
  const parse: (text: string) => unknown = JSON.parse;
  const value = new JsonValue(parse(text), trainingRecordKey);
  return {
    model: value.field('model').string(),
    repositories: value.field('repositories').list((name) => name.string()),
    trainingFiles: value.field('trainingFiles').count(),
    heldOutFiles: value.field('heldOutFiles').count(),
    tokens: value.field('tokens').count(),
    options: optionsOf(value.field('options')),
    course: pointsOf(value.field('course')),
  };
}

/**
 * How some heads were trained.
 * @param heads a file of retaining heads
 * @returns undefined for heads that do not tell, as published ones
 * @throws LocretError heads-corrupt when the file is damaged
 */
export function readTrainingRecord(heads: string): TrainingRecord | undefined {
  if (isPytorchFile(heads, damaged)) return undefined;
  const opened = SafetensorsFile.open(heads, damaged);
  try {
    const text = opened.metadata.get(trainingRecordKey);
    if (text === undefined) return undefined;
    return recordOf(text);
  } catch (error) {
    if (isLocretError(error)) throw error;
    throw opened.refuse('has a training record of another form');
  } finally {
    opened.close();
  }
}
