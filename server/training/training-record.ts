import type { JsonReader } from '../contract/json.js';
import { texts } from '../contract/kinds.js';
import {
  headInputs,
  labelKinds,
  processorPrecisions,
  type ProcessorPrecision,
  trainingAnswers,
} from '../contract/words.js';
import type { CoursePoint, TrainingOptions } from '../contract/training.js';
import { isLocretError } from '../errors.js';
import { readStored } from '../memory/keeping/stored-json.js';
import type { Refusal } from '../model/json-fields.js';
import { SafetensorsFile } from '../model/safetensors.js';
import { pointsOf } from './training-course.js';

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
  readonly options: Omit<TrainingOptions, 'tokens' | 'threads' | 'precision'> & {
    readonly precision: ProcessorPrecision;
  };
  readonly course: readonly CoursePoint[];
}

/** The key of a heads file's metadata that holds the record. */
export const trainingRecordKey = 'locret.training';

const damaged: Refusal = { code: 'heads-corrupt', remedy: 'Train the heads again, or use others.' };

function optionsOf(reader: JsonReader): TrainingRecord['options'] {
  return {
    input: reader.word('input', headInputs),
    labels: reader.word('labels', labelKinds),
    answers: reader.word('answers', trainingAnswers),
    width: reader.count('width'),
    steps: reader.count('steps'),
    warmup: reader.count('warmup'),
    rate: reader.amount('rate'),
    questions: reader.count('questions'),
    seed: reader.count('seed'),
    precision: reader.word('precision', processorPrecisions),
  };
}

function recordOf(text: string): TrainingRecord {
  const reader = readStored(text, trainingRecordKey);
  return {
    model: reader.text('model'),
    repositories: reader.get('repositories', texts),
    trainingFiles: reader.count('trainingFiles'),
    heldOutFiles: reader.count('heldOutFiles'),
    tokens: reader.count('tokens'),
    options: optionsOf(reader.object('options')),
    course: pointsOf(reader, 'course'),
  };
}

/**
 * How some heads were trained.
 * @param heads a file of retaining heads
 * @returns undefined for heads that do not tell, as published ones
 * @throws LocretError heads-corrupt when the file is damaged
 */
export function readTrainingRecord(heads: string): TrainingRecord | undefined {
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
