import path from 'node:path';
import type { JsonReader } from '../contract/json.js';
import { flag, name, path as anyPath, type Kind } from '../contract/kinds.js';
import type { PausedTrainingParams, StopTrainingParams, TrainParams } from '../contract/protocol.js';
import { collect } from '../contract/setting.js';
import { trainingSettings } from '../contract/training.js';
import { paramsOf } from './params.js';

const absolutePath: Kind<string> = {
  ...anyPath,
  expected: 'an absolute path',
  accept: (value) => (typeof value === 'string' && path.isAbsolute(value) ? path.normalize(value) : undefined),
};

function readerOf(params: unknown): JsonReader {
  return paramsOf(params, 'Correct it, or leave it out.');
}

/** Folders that are trained on; an error names the one that is wrong. */
function repositoriesOf(reader: JsonReader): string[] {
  const folders = reader.value('repositories');
  if (!Array.isArray(folders) || folders.length === 0) throw reader.wrong('repositories', 'a list of absolute folders');
  return folders.map((repositories: unknown) => readerOf({ repositories }).get('repositories', absolutePath));
}

/** @throws LocretError invalid-argument, naming the parameter, its value and what was expected */
export function trainParams(params: unknown): TrainParams {
  const reader = readerOf(params);
  const options = reader.has('options') ? reader.object('options') : undefined;
  return {
    repositories: repositoriesOf(reader),
    options: collect(trainingSettings, (option, { kind }) => options?.find<unknown>(option, kind)),
    fresh: reader.find('fresh', flag) ?? false,
    model: reader.find('model', name),
    out: reader.find('out', absolutePath),
  };
}

/** @throws LocretError invalid-argument */
export function stopTrainingParams(params: unknown): StopTrainingParams {
  const reader = readerOf(params);
  // What was trained is not given up because something was left out.
  return { keep: reader.flag('keep'), out: reader.find('out', absolutePath) };
}

/** @throws LocretError invalid-argument */
export function pausedTrainingParams(params: unknown): PausedTrainingParams {
  return { out: readerOf(params).get('out', absolutePath) };
}
