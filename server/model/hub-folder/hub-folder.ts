import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { damagedModel, readTextFile } from '../json-fields.js';
import { readLocretSettings } from '../locret-settings.js';
import type { ModelSource } from '../model-source.js';
import { readModelShape } from './config.js';
import { readGenerationSettings } from './generation-config.js';
import { openChatTemplate } from './open-chat-template.js';
import { openCheckpoint } from './open-checkpoint.js';
import { openTokenizer } from './open-tokenizer.js';

const largestCard = 4 * 1024 * 1024;

/** Tells from names alone whether a folder holds a model. */
export function isHubFolder(folder: string): boolean {
  return existsSync(join(folder, 'config.json'));
}

/**
 * A model in a folder as it is published on the Hugging Face hub: `config.json`, safetensors files, `tokenizer.json`, and
 * the files beside them.
 * @param folder absolute
 */
export function openHubFolder(folder: string): ModelSource {
  return {
    place: folder,
    name: basename(folder),
    shape: () => readModelShape(folder),
    tokenizer: () => openTokenizer(folder, readModelShape(folder).vocabulary),
    template: (tokenizer) => openChatTemplate(folder, tokenizer),
    generation: (tokenizer) => readGenerationSettings(folder, tokenizer),
    locretSettings: () => readLocretSettings(folder),
    description: () => cardHeading(folder),
    beside: (file) => join(folder, file),
    openWeights: () => openCheckpoint(folder),
  };
}

/** The first line of README.md that is text, without front matter and heading marks. */
function cardHeading(folder: string): string | undefined {
  let card: string;
  try {
    card = readTextFile(join(folder, 'README.md'), largestCard, damagedModel);
  } catch {
    return undefined;
  }
  const lines = card.replace(/^---\r?\n[^]*?\n---\r?\n/, '').split(/\r?\n/);
  const line = lines.find((candidate) => /[\p{L}\p{N}]/u.test(candidate));
  return line?.replace(/^#+\s*/, '').trim();
}
