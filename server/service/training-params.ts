import path from 'node:path';
import { labelKinds } from '../contract/words.js';
import { LocretError } from '../errors.js';
import { showJson } from '../model/json-fields.js';
import type { PausedTrainingParams, StopTrainingParams, TrainingOptions, TrainParams } from '../contract/protocol.js';
import { fieldsOf, flag, text } from './params.js';

function refuse(name: string, value: unknown, expected: string): LocretError {
  return new LocretError(
    'invalid-argument',
    `The parameter ${name} is ${showJson(value)}; expected ${expected}.`,
    'Correct it, or leave it out.',
  );
}

function absolutePath(name: string, value: unknown): string {
  if (typeof value === 'string' && path.isAbsolute(value)) return path.normalize(value);
  throw refuse(name, value, 'an absolute path');
}

/** Options of a training, each checked; undefined where one is left out. */
class Options {
  constructor(private readonly fields: Readonly<Record<string, unknown>>) {}

  wholeNumber<Name extends string>(name: Name, least: number): Partial<Record<Name, number>> {
    const value = this.fields[name];
    if (value === undefined) return {};
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return entry(name, value);
    throw refuse(`options.${name}`, value, `a whole number of at least ${least}`);
  }

  share<Name extends string>(name: Name): Partial<Record<Name, number>> {
    const value = this.fields[name];
    if (value === undefined) return {};
    if (typeof value === 'number' && value > 0 && value <= 1) return entry(name, value);
    throw refuse(`options.${name}`, value, 'a number above 0, at most 1');
  }

  word<Name extends string, const Word extends string>(
    name: Name,
    words: readonly Word[],
  ): Partial<Record<Name, Word>> {
    const value = this.fields[name];
    if (value === undefined) return {};
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw refuse(`options.${name}`, value, `one of ${words.join(', ')}`);
    return entry(name, word);
  }
}

function entry<Name extends string, Value>(name: Name, value: Value): Partial<Record<Name, Value>>;
function entry<Value>(name: string, value: Value): Partial<Record<string, Value>> {
  return { [name]: value };
}

function trainingOptions(value: unknown): Partial<TrainingOptions> {
  if (value === undefined) return {};
  const options = new Options(fieldsOf(value));
  return {
    ...options.word('input', ['qkv', 'hidden']),
    ...options.word('labels', labelKinds),
    ...options.word('answers', ['source', 'model']),
    ...options.wholeNumber('width', 1),
    ...options.wholeNumber('steps', 1),
    ...options.wholeNumber('warmup', 0),
    ...options.share('rate'),
    ...options.wholeNumber('tokens', 1),
    ...options.wholeNumber('questions', 1),
    ...options.wholeNumber('seed', 0),
    ...options.word('precision', ['float32', 'int8', 'int4']),
    ...options.wholeNumber('threads', 1),
  };
}

/** @throws LocretError invalid-argument, naming the parameter, its value and what was expected */
export function trainParams(params: unknown): TrainParams {
  const fields = fieldsOf(params);
  const { repositories, model, out } = fields;
  if (!Array.isArray(repositories) || repositories.length === 0)
    throw refuse('repositories', repositories, 'a list of absolute folders');
  const folders: readonly unknown[] = repositories;
  return {
    repositories: folders.map((folder) => absolutePath('repositories', folder)),
    options: trainingOptions(fields['options']),
    fresh: flag(fields, 'fresh'),
    ...(model === undefined ? {} : { model: text(fields, 'model') }),
    ...(out === undefined ? {} : { out: absolutePath('out', out) }),
  };
}

/** @throws LocretError invalid-argument */
export function stopTrainingParams(params: unknown): StopTrainingParams {
  const fields = fieldsOf(params);
  const { keep, out } = fields;
  // What was trained is not given up because something was left out.
  if (typeof keep !== 'boolean') throw refuse('keep', keep, 'true or false');
  return { keep, ...(out === undefined ? {} : { out: absolutePath('out', out) }) };
}

/** @throws LocretError invalid-argument */
export function pausedTrainingParams(params: unknown): PausedTrainingParams {
  return { out: absolutePath('out', fieldsOf(params)['out']) };
}
