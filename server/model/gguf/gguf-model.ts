import { basename, dirname, join } from 'node:path';
import { createChatTemplate } from '../chat-template.js';
import { readLocretSettings } from '../locret-settings.js';
import type { ModelSource } from '../model-source.js';
import type { ModelShape } from '../shape.js';
import { createTokenizer } from '../tokenizer.js';
import { readGgufChatTemplate, readGgufGeneration, readGgufSpecialTokens } from './chat.js';
import { openGgufCheckpoint } from './gguf-checkpoint.js';
import { GgufFile } from './gguf-file.js';
import type { MetadataFields } from './metadata-fields.js';
import { readGgufShape } from './model-shape.js';
import { readGgufTokenizer } from './tokenizer-definition.js';
import { readVocabulary, type Vocabulary } from './vocabulary.js';

/** What a file tells besides its weights. */
interface Told {
  readonly metadata: MetadataFields;
  readonly shape: ModelShape;
}

/** The name of the model that a file holds, as its path tells; undefined for other files, and for parts but the first. */
export function ggufName(path: string): string | undefined {
  const [, name, part = '00001'] = /^(.+?)(?:-(\d{5})-of-\d{5})?\.gguf$/i.exec(basename(path)) ?? [];
  return part === '00001' ? name : undefined;
}

function readTold(path: string): Told {
  const file = GgufFile.open(path);
  try {
    return { metadata: file.metadata, shape: readGgufShape(file) };
  } finally {
    file.close();
  }
}

/**
 * A model in a GGUF file, the format of llama.cpp, or in the parts of one. Files about it lie beside it, under its name:
 * `NAME.locret.json`, `NAME.retaining_heads.safetensors`.
 * @param path absolute; of any part
 */
export function openGgufModel(path: string): ModelSource {
  let known: Told | undefined;
  let tokens: Vocabulary | undefined;
  const told = (): Told => (known ??= readTold(path));
  const vocabulary = (): Vocabulary => (tokens ??= readVocabulary(told().metadata, told().shape.vocabulary));
  const name = ggufName(path) ?? basename(path);
  return {
    place: path,
    name,
    shape: () => told().shape,
    tokenizer: () => createTokenizer(readGgufTokenizer(told().metadata, vocabulary())),
    template: (tokenizer) => {
      const source = readGgufChatTemplate(told().metadata);
      const specialTokens = readGgufSpecialTokens(told().metadata, vocabulary());
      return createChatTemplate({ origin: path, source, specialTokens }, tokenizer);
    },
    generation: () => readGgufGeneration(told().metadata, vocabulary()),
    locretSettings: () => readLocretSettings(dirname(path), `${name}.`),
    description: () => told().metadata.string('general.name'),
    beside: (file) => join(dirname(path), `${name}.${file}`),
    openWeights: () => {
      const file = GgufFile.open(path);
      try {
        return openGgufCheckpoint(file, readGgufShape(file));
      } catch (error) {
        file.close();
        throw error;
      }
    },
  };
}
