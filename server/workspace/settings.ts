import os from 'node:os';
import path from 'node:path';
import { type CachePrecision, cachePrecisions, type WeightPrecision, weightPrecisions } from '../engine/engine.js';
import { LocretError } from '../errors.js';
import type { MemorySettings } from '../memory/open-memory.js';
import { backendChoices } from '../backends/index.js';
import type { BackendChoice } from '../memory/planning/plan.js';
import { type AllocationName, allocationNames } from '../eviction/allocation.js';
import { type StructureName, structureNames } from '../memory/reading/structure.js';
import { policyNames } from '../eviction/policy-by-name.js';
import type { PolicyName } from '../eviction/policy.js';
import { isJsonObject, showJson } from '../model/json-fields.js';
import { resolveModel } from '../model/catalog.js';
import type { LogLevel } from '../contract/protocol.js';
import { cacheFolder } from './cache-folder.js';
import { modelFolders } from './model-folders.js';

/** The settings that came over the wire, checked, with defaults filled in. Undefined: the plan or the model chooses. */
export interface ChosenSettings {
  readonly model: string;
  readonly heads: string | undefined;
  readonly backend: BackendChoice | undefined;
  readonly precision: WeightPrecision | undefined;
  readonly cachePrecision: CachePrecision | undefined;
  readonly budget: number | undefined;
  readonly chunk: number | undefined;
  readonly stabilizers: number | undefined;
  readonly policy: PolicyName | undefined;
  readonly allocation: AllocationName | undefined;
  readonly structure: StructureName | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly recallTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly answerTokens: number;
  readonly autoUpdateSeconds: number;
  readonly idleUnloadMinutes: number;
  readonly logLevel: LogLevel;
  readonly trusted: boolean;
}

/** Files above this size are skipped, bytes. */
const maxFileBytes = 1 << 20;
const logLevels: readonly LogLevel[] = ['error', 'warning', 'info', 'debug'];

function refuse(name: string, value: unknown, expected: string): LocretError {
  return new LocretError(
    'invalid-argument',
    `The setting locret.${name} is ${showJson(value)}; expected ${expected}.`,
    'Change it in the settings.',
  );
}

/** Reads fields of an object that came over the wire; undefined where one is left out. */
class Fields {
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  text(name: string): string | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    throw refuse(name, value, 'a text');
  }

  flag(name: string): boolean | undefined {
    const value = this.values[name];
    if (value === undefined || typeof value === 'boolean') return value;
    throw refuse(name, value, 'true or false');
  }

  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw refuse(name, value, `one of ${words.join(', ')}`);
    return word;
  }

  number(name: string, least: number, most = Infinity): number | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw refuse(
      name,
      value,
      most === Infinity ? `a number of at least ${least}` : `a number from ${least} to ${most}`,
    );
  }

  wholeNumber(name: string, least: number): number | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    throw refuse(name, value, `a whole number of at least ${least}`);
  }

  texts(name: string): readonly string[] {
    const value = this.values[name];
    if (value === undefined) return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [undefined];
    return items.map((item) => {
      if (typeof item === 'string') return item;
      throw refuse(name, value, 'a list of texts');
    });
  }
}

/**
 * Checks settings that a client sent (`SidecarSettings` of the protocol); anything unknown is left alone.
 * @throws LocretError invalid-argument, naming the setting, its value and what was expected
 */
export function parseSettings(value: unknown): ChosenSettings {
  const fields = new Fields(isJsonObject(value) ? value : {});
  return {
    model: fields.text('model') ?? 'nano',
    heads: fields.text('heads'),
    backend: fields.word('backend', backendChoices),
    precision: fields.word('precision', weightPrecisions),
    cachePrecision: fields.word('cachePrecision', cachePrecisions),
    budget: fields.wholeNumber('budget', 1),
    chunk: fields.wholeNumber('chunk', 1),
    stabilizers: fields.wholeNumber('stabilizers', 0),
    policy: fields.word('policy', policyNames),
    allocation: fields.word('allocation', allocationNames),
    structure: fields.word('structure', structureNames),
    include: fields.texts('include'),
    exclude: fields.texts('exclude'),
    recallTokens: fields.wholeNumber('recallTokens', 0),
    temperature: fields.number('temperature', 0, 5),
    answerTokens: fields.wholeNumber('answerTokens', 1) ?? 256,
    autoUpdateSeconds: fields.number('autoUpdateSeconds', 0) ?? 5,
    idleUnloadMinutes: fields.number('idleUnloadMinutes', 0) ?? 30,
    logLevel: fields.word('logLevel', logLevels) ?? 'info',
    trusted: fields.flag('trusted') ?? true,
  };
}

/** Whether two choices lead to the same memories: if not, what is loaded is of no use any more. */
export function makeSameMemories(a: ChosenSettings, b: ChosenSettings): boolean {
  const deciding = (settings: ChosenSettings): string => {
    const { model, heads, backend, precision, cachePrecision, budget, chunk, stabilizers, policy } = settings;
    const { allocation, structure, include, exclude } = settings;
    const sizes = [backend, precision, cachePrecision, budget, chunk, stabilizers, policy, allocation, structure];
    return JSON.stringify([model, heads ?? null, ...sizes, include, exclude]);
  };
  return deciding(a) === deciding(b);
}

/**
 * How the memory of a repository is made by these settings.
 * @param folder of the repository, absolute
 * @throws LocretError model-not-found with the names there are
 */
export async function memorySettings(settings: ChosenSettings, folder: string): Promise<MemorySettings> {
  const { model, heads, backend, precision, cachePrecision, budget, chunk, stabilizers, policy } = settings;
  const { allocation, structure, include, exclude } = settings;
  return {
    repo: folder,
    modelFolder: await resolveModel(expandHome(model), modelFolders()),
    survey: { maxFileBytes, include, exclude },
    cacheFolder: cacheFolder(),
    threads: os.availableParallelism(),
    ...(heads === undefined ? {} : { heads: expandHome(heads) }),
    ...(backend === undefined ? {} : { backend }),
    ...(precision === undefined ? {} : { precision }),
    ...(cachePrecision === undefined ? {} : { cachePrecision }),
    ...(budget === undefined ? {} : { budget }),
    ...(chunk === undefined ? {} : { chunk }),
    ...(stabilizers === undefined ? {} : { stabilizers }),
    ...(policy === undefined ? {} : { policy }),
    ...(allocation === undefined ? {} : { allocation }),
    ...(structure === undefined ? {} : { structure }),
  };
}

/** `~/models/x`, as people write files and folders in settings. */
export function expandHome(place: string): string {
  return /^~[/\\]/.test(place) ? path.join(os.homedir(), place.slice(2)) : place;
}
