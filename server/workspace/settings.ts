import os from 'node:os';
import path from 'node:path';
import { isJsonObject, JsonReader, showJson } from '../contract/json.js';
import { flag } from '../contract/kinds.js';
import { collect, withDefaults } from '../contract/setting.js';
import { settings, type Choices, type MemorySettingName } from '../contract/settings.js';
import { LocretError } from '../errors.js';
import type { PolicyName } from '../eviction/policy.js';
import type { MemorySettings } from '../memory/open-memory.js';
import { resolveModel } from '../model/catalog.js';
import { cacheFolder } from './cache-folder.js';
import { modelFolders } from './model-folders.js';

/** What decides a memory; on the command line among more policies than an editor is offered. */
export interface MemoryChoice extends Omit<Pick<Choices, MemorySettingName | 'threads'>, 'policy'> {
  readonly policy?: PolicyName | undefined;
}

/** All settings, checked, with defaults filled in. Undefined: the plan or the model chooses. */
export interface ChosenSettings extends MemoryChoice, Omit<Choices, 'policy'> {
  readonly trusted: boolean;
}

/**
 * Checks settings that a client sent (`SidecarSettings` of the protocol); anything unknown is left alone.
 * @throws LocretError invalid-argument, naming the setting, its value and what was expected
 */
export function parseSettings(value: unknown): ChosenSettings {
  const reader = new JsonReader(isJsonObject(value) ? value : {}, (name, found, { expected }) => {
    const message = `The setting locret.${name} is ${showJson(found)}; expected ${expected}.`;
    return new LocretError('invalid-argument', message, 'Change it in the settings.');
  });
  const given = collect(settings, (name, setting) =>
    'client' in setting ? reader.find<unknown>(name, setting.kind) : undefined,
  );
  return { ...withDefaults(settings, given), trusted: reader.find('trusted', flag) ?? true };
}

/** Whether two choices lead to the same memories: if not, what is loaded is of no use any more. */
export function makeSameMemories(a: ChosenSettings, b: ChosenSettings): boolean {
  const deciding = (chosen: ChosenSettings): string =>
    JSON.stringify(collect(settings, (name, setting) => ('makesMemory' in setting ? chosen[name] : undefined)));
  return deciding(a) === deciding(b);
}

/**
 * How the memory of a repository is made by what was chosen.
 * @param repo the repository's folder, absolute
 * @throws LocretError model-not-found with the names there are
 */
export async function memorySettings(chosen: MemoryChoice, repo: string): Promise<MemorySettings> {
  const { model, heads, include, exclude, maxFileSize, threads } = chosen;
  return {
    ...chosen,
    repo,
    model: await resolveModel(expandHome(model), modelFolders()),
    heads: heads === undefined ? undefined : expandHome(heads),
    survey: { maxFileBytes: maxFileSize, include, exclude },
    cacheFolder: cacheFolder(),
    threads: threads ?? os.availableParallelism(),
  };
}

/** `~/models/x`, as people write files and folders in settings. */
export function expandHome(place: string): string {
  return /^~[/\\]/.test(place) ? path.join(os.homedir(), place.slice(2)) : place;
}
