import { statSync, type Stats } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LocretError } from '../errors.js';
import { ggufName, openGgufModel } from './gguf/gguf-model.js';
import { isHubFolder, openHubFolder } from './hub-folder/hub-folder.js';
import type { ModelSource } from './model-source.js';

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The name of the model that lies in a place, told from names alone; undefined where none seems to. */
export function modelNameAt(path: string): string | undefined {
  return isHubFolder(path) ? basename(path) : ggufName(path);
}

/** Tells whether there is something that {@link openModelSource} takes for a model. */
export function isPlace(path: string): boolean {
  const stats = statsOf(path);
  return stats?.isDirectory() === true || stats?.isFile() === true;
}

/**
 * Opens the model that lies in a place: a folder as published on the Hugging Face hub, or a GGUF file.
 * @throws LocretError model-not-found when there is neither
 */
export function openModelSource(place: string): ModelSource {
  const absolute = resolve(place);
  const stats = statsOf(absolute);
  if (stats?.isDirectory() === true) return openHubFolder(absolute);
  if (stats?.isFile() === true) return openGgufModel(absolute);
  throw new LocretError(
    'model-not-found',
    `${absolute} is neither a folder nor a file.`,
    'Give the folder of a model as published on the Hugging Face hub, a GGUF file, or a name that `locret models` lists.',
  );
}
