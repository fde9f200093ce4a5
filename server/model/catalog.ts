import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelEntry } from '../contract/models.js';
import { isLocretError, LocretError } from '../errors.js';
import type { ModelSource } from './model-source.js';
import { isPlace, modelNameAt, openModelSource } from './open-model-source.js';
import { headLabels } from './retaining-heads.js';
import { normWidth, type ModelShape } from './shape.js';

/** The folder of the models that come with the program: `models` beside its package.json. */
export function bundledModels(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'models');
}

/**
 * The models in some folders, by name; of two with one name the one whose folder comes first. Their headers are checked,
 * their weights are not read. Folders that are not there hold no models.
 * @param modelFolders folders of model folders and GGUF files
 */
export async function listModels(modelFolders: readonly string[]): Promise<readonly ModelEntry[]> {
  const found = await findModels(modelFolders);
  const names = [...found.keys()].sort((a, b) => a.localeCompare(b, 'en'));
  return names.map((name) => describe(name, found.get(name) ?? ''));
}

/**
 * The place of a model that is given by its name in the catalog or by a path. A name in the catalog comes before a folder
 * or file of that name; `./name` is always a path.
 * @throws LocretError model-not-found with the names there are
 */
export async function resolveModel(nameOrPath: string, modelFolders: readonly string[]): Promise<string> {
  const found = await findModels(modelFolders);
  const named = found.get(nameOrPath);
  if (named !== undefined) return named;
  if (isPlace(nameOrPath)) return resolve(nameOrPath);
  const names = [...found.keys()].sort((a, b) => a.localeCompare(b, 'en'));
  throw new LocretError(
    'model-not-found',
    `There is no model "${nameOrPath}", neither by name nor as a folder or file. ` +
      (names.length === 0 ? `No models are in ${modelFolders.join(', ')}.` : `Names: ${names.join(', ')}.`),
    'Give one of the names, the folder of a model as published on the Hugging Face hub, or a GGUF file.',
  );
}

/** Name → place of everything that looks like a model. */
async function findModels(modelFolders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const parent of modelFolders) {
    for (const entry of await readdir(parent).catch(() => [])) {
      const place = resolve(parent, entry);
      const name = modelNameAt(place);
      if (name !== undefined && !found.has(name)) found.set(name, place);
    }
  }
  return found;
}

/** Undefined also where the model is too damaged to tell: what is wrong is said of its weights. */
function descriptionOf(source: ModelSource): string | undefined {
  try {
    return source.description();
  } catch (error) {
    if (isLocretError(error)) return undefined;
    throw error;
  }
}

function describe(name: string, place: string): ModelEntry {
  const source = openModelSource(place);
  const base = { name, folder: place, description: descriptionOf(source) };
  try {
    const weights = source.openWeights();
    weights.close();
    const { shape, storedBytes } = weights;
    const { heads } = source.locretSettings();
    return {
      ...base,
      family: shape.family,
      parameters: parameterCount(shape),
      storedBytes,
      heads: heads !== undefined && existsSync(heads),
      headLabels: heads && headLabels(heads),
    };
  } catch (error) {
    if (!isLocretError(error)) throw error;
    return { ...base, problem: error.message };
  }
}

/** Numbers in the weights of a decoder; tied embeddings count once. */
function parameterCount(shape: ModelShape): number {
  const { hidden, heads, kvHeads, headDim, feedForward } = shape;
  const queries = heads * headDim;
  const queryKeyValue = queries + 2 * kvHeads * headDim;
  const biases =
    (shape.queryKeyValueBias ? queryKeyValue : 0) +
    (shape.outputBias ? hidden : 0) +
    (shape.feedForwardBias ? 2 * feedForward + hidden : 0);
  const matrices = hidden * (queryKeyValue + queries + 3 * feedForward);
  const norms = shape.layers.flatMap((layer) => layer.norms).reduce((sum, norm) => sum + normWidth(shape, norm), 0);
  return (
    shape.layers.length * (matrices + biases) +
    norms +
    hidden +
    shape.vocabulary * hidden * (shape.tiedEmbeddings ? 1 : 2)
  );
}
