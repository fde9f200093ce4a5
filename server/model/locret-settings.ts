import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { LocretError } from '../errors.js';
import { JsonFields, showJson, type Bounds, type Refusal } from './json-fields.js';

/** The optional `locret.json` of a model folder: how this model is best read with. Absent fields are chosen by the plan. */
export interface LocretSettings {
  /** System sentence before the repository; undefined: the product's own. */
  readonly instructions?: string;
  /** Absolute path of the retaining heads. */
  readonly heads?: string;
  readonly budget?: number;
  /** How the budget is divided: evenly, by layer, or shared by the KV heads of a layer. */
  readonly allocation?: (typeof ALLOCATIONS)[number];
  /** What stays before all else: nothing, the paths of files, or also the lines that name definitions. */
  readonly structure?: (typeof STRUCTURES)[number];
  readonly chunk?: number;
  readonly stabilizers?: number;
  /** Last tokens of the memory that are appended without eviction (n_loc). */
  readonly local?: number;
  /** Slots the model handles well; default `max_position_embeddings`. */
  readonly window?: number;
  /** Tokens of re-read definitions that the model handles well in a prompt; default: an eighth of the window. */
  readonly recall?: number;
  /**
   * Whether the model's attention to the retained cache tells where things are; default false: recall and links go by
   * names alone, and a question is read once instead of twice.
   */
  readonly attention?: boolean;
}

const ALLOCATIONS = ['even', 'pyramid', 'shared'] as const;
const STRUCTURES = ['none', 'headers', 'definitions'] as const;
const SETTINGS_FILE = 'locret.json';
const SETTINGS_LIMIT = 1024 * 1024;
/** The version of the file's form that is written and read here. */
const FORMAT = 1;
const DEFAULT_HEADS = 'retaining_heads.safetensors';
const UNITS: Bounds = { min: 1, max: 1 << 30 };
const UNITS_OR_NONE: Bounds = { ...UNITS, min: 0 };

const WRONG_SETTINGS: Refusal = {
  code: 'model-corrupt',
  remedy: 'Correct the file or remove it; without it the settings are chosen from the model.',
};

/**
 * Reads `locret.json`. Retaining heads are those it names, or `retaining_heads.safetensors` in the folder.
 * @param folder absolute path of the model folder
 * @throws LocretError model-unsupported for an unknown format, model-corrupt naming the key and the value
 */
export function readLocretSettings(folder: string): LocretSettings {
  const file = join(folder, SETTINGS_FILE);
  const found = join(folder, DEFAULT_HEADS);
  const defaultHeads = existsSync(found) ? { heads: found } : {};
  if (!existsSync(file)) return defaultHeads;
  const fields = JsonFields.read(file, SETTINGS_LIMIT, WRONG_SETTINGS);
  const format = fields.value('format');
  if (format !== FORMAT) {
    throw new LocretError(
      'model-unsupported',
      `${file}: "format" ${showJson(format)} is not known; this version reads format ${FORMAT}.`,
      'Update Locret, or choose another model.',
    );
  }
  const instructions = fields.string('instructions');
  const heads = headsInside(folder, fields);
  const budget = fields.integer('budget', UNITS);
  const allocation = wordOf(fields, 'allocation', ALLOCATIONS);
  const structure = wordOf(fields, 'structure', STRUCTURES);
  const chunk = fields.integer('chunk', UNITS);
  const stabilizers = fields.integer('stabilizers', UNITS_OR_NONE);
  const local = fields.integer('local', UNITS_OR_NONE);
  const window = fields.integer('window', UNITS);
  const recall = fields.integer('recall', UNITS_OR_NONE);
  const attention = fields.boolean('attention');
  return {
    ...(instructions === undefined ? {} : { instructions }),
    ...(heads === undefined ? defaultHeads : { heads }),
    ...(budget === undefined ? {} : { budget }),
    ...(allocation === undefined ? {} : { allocation }),
    ...(structure === undefined ? {} : { structure }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(stabilizers === undefined ? {} : { stabilizers }),
    ...(local === undefined ? {} : { local }),
    ...(window === undefined ? {} : { window }),
    ...(recall === undefined ? {} : { recall }),
    ...(attention === undefined ? {} : { attention }),
  };
}

function wordOf<Word extends string>(fields: JsonFields, name: string, words: readonly Word[]): Word | undefined {
  const named = fields.string(name);
  if (named === undefined) return undefined;
  const known = words.find((word) => word === named);
  if (known === undefined) throw fields.wrong(name, `one of ${words.join(', ')}`);
  return known;
}

/** The absolute path of the heads that the settings name; it must lie in the model folder. */
function headsInside(folder: string, fields: JsonFields): string | undefined {
  const named = fields.string('heads');
  if (named === undefined) return undefined;
  const file = resolve(folder, named);
  const inside = relative(folder, file);
  const outside = inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  if (outside || isAbsolute(named) || named.includes('\0')) {
    throw fields.wrong('heads', 'the name of a file in the model folder');
  }
  return file;
}
