import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LocretError } from '../errors.js';
import { openChatTemplate, type ChatTemplate } from './chat-template.js';
import { readModelShape } from './config.js';
import { readGenerationSettings, type GenerationSettings } from './generation-settings.js';
import type { LocretSettings } from '../contract/settings.js';
import { readLocretSettings } from './locret-settings.js';
import type { ModelShape } from './shape.js';
import { openTokenizer, type ModelTokenizer } from './tokenizer.js';

/** A model folder without its weights: what reading and asking need besides the engine. */
export interface LoadedModel {
  /** Absolute. */
  readonly folder: string;
  /** The folder's last name, for people. */
  readonly name: string;
  readonly shape: ModelShape;
  readonly tokenizer: ModelTokenizer;
  readonly template: ChatTemplate;
  readonly generation: GenerationSettings;
  readonly locret: LocretSettings;
}

/**
 * Opens everything of a model folder but its weights (those: `openCheckpoint`).
 * @param folder in the form in which models are published on the Hugging Face hub
 * @throws LocretError model-not-found, model-unsupported, model-corrupt, tokenizer-unsupported, template-failed; each
 *   names the file and the value, and what was expected
 */
export async function openModel(folder: string): Promise<LoadedModel> {
  const absolute = resolve(folder);
  const isFolder = await stat(absolute).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new LocretError(
      'model-not-found',
      `${absolute} is not a folder.`,
      'Give the folder of a model as published on the Hugging Face hub, or a name that `locret models` lists.',
    );
  }
  const shape = readModelShape(absolute);
  const tokenizer = openTokenizer(absolute, shape.vocabulary);
  return {
    folder: absolute,
    name: basename(absolute),
    shape,
    tokenizer,
    template: openChatTemplate(absolute, tokenizer),
    generation: readGenerationSettings(absolute, tokenizer),
    locret: readLocretSettings(absolute),
  };
}
