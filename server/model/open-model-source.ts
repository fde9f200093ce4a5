import { statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { LocretError } from '../errors.js';
import { isHubFolder, openHubFolder } from './hub-folder/hub-folder.js';
import type { ModelSource } from './model-source.js';

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Tells from names alone whether a model lies there. */
export function isModelPlace(path: string): boolean {
  return isHubFolder(path);
}

/** Tells whether {@link openModelSource} takes a path: a model, or something that is to be one and is refused by name. */
export function isPlace(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

/**
 * Opens the model that lies in a place: a folder as published on the Hugging Face hub.
 * @throws LocretError model-not-found when nothing lies there
 */
export function openModelSource(place: string): ModelSource {
  const absolute = resolve(place);
  if (isPlace(absolute)) return openHubFolder(absolute);
  throw new LocretError(
    'model-not-found',
    `${absolute} is not a folder.`,
    'Give the folder of a model as published on the Hugging Face hub, or a name that `locret models` lists.',
  );
}
