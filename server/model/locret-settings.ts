import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { showJson } from '../contract/json.js';
import { modelSettings, type LocretSettings } from '../contract/settings.js';
import { collect } from '../contract/setting.js';
import { LocretError } from '../errors.js';
import { JsonFields, type Refusal } from './json-fields.js';

const settingsFile = 'locret.json';
const largestFile = 1024 * 1024;
/** The version of the file's form that is read here. */
const knownFormat = 1;
const usualHeads = 'retaining_heads.safetensors';

const wrongSettings: Refusal = {
  code: 'model-corrupt',
  remedy: 'Correct the file or remove it; without it the settings are chosen from the model.',
};

/**
 * Reads the optional `locret.json` of a model: how it is best read with. Retaining heads are those it names, or
 * `retaining_heads.safetensors` beside it; their path is absolute.
 * @param folder absolute path of the folder that the model lies in
 * @param prefix what both names begin with, where a folder holds several models
 * @throws LocretError model-unsupported for an unknown format, model-corrupt naming the key and the value
 */
export function readLocretSettings(folder: string, prefix = ''): LocretSettings {
  const file = join(folder, prefix + settingsFile);
  const found = join(folder, prefix + usualHeads);
  const heads = existsSync(found) ? found : undefined;
  if (!existsSync(file)) return { heads };
  const fields = JsonFields.read(file, largestFile, wrongSettings);
  const format = fields.value('format');
  if (format !== knownFormat) {
    throw new LocretError(
      'model-unsupported',
      `${file}: "format" ${showJson(format)} is not known; this version reads format ${knownFormat}.`,
      'Update Locret, or choose another model.',
    );
  }
  const said = collect(modelSettings, (key, { kind }) => fields.find<unknown>(key, kind));
  return { ...said, heads: said.heads === undefined ? heads : insideOf(folder, said.heads, fields) };
}

/** The absolute path of the heads that the settings name; it must lie in the model folder. */
function insideOf(folder: string, named: string, fields: JsonFields): string {
  const file = resolve(folder, named);
  const inside = relative(folder, file);
  const outside = inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  if (outside || isAbsolute(named) || named.includes('\0')) {
    throw fields.wrong('heads', 'the name of a file in the model folder');
  }
  return file;
}
