import { flag, megabytes, name, number, path, text, texts, wholeNumber, word } from './kinds.js';
import type { Chosen, Given, NamesWith, Setting, SettingTable } from './setting.js';
import {
  allocationNames,
  backendChoices,
  cachePrecisions,
  logLevels,
  offeredPolicies,
  structureNames,
  weightPrecisions,
} from './words.js';

/** A setting of reading and asking, and who may set it. */
export interface ReadingSetting extends Setting {
  /** What it is about. */
  readonly of: 'model' | 'memory' | 'answers';
  /** Another value makes another memory. */
  readonly makesMemory?: true;
  /** An editor may send it ({@link SidecarSettings}). */
  readonly client?: true;
  /**
   * How VS Code offers it. Without this it is a fact of a model rather than a choice of a user, and taken only where
   * somebody writes it by hand.
   */
  readonly offer?: {
    /** What stands for leaving the choice to the program. */
    readonly automatic?: string;
    /** Only a folder that the user trusts may set it. */
    readonly needsTrust?: true;
    /** It belongs to a folder rather than to a machine. */
    readonly ofFolder?: true;
  };
  /** The key in a model folder's `locret.json`. */
  readonly modelKey?: string;
}

/**
 * Every setting of reading and asking. What an editor, the command line and `locret.json` say is read by this table; the
 * identity of a memory, `--help`, VS Code's settings and docs/settings.md follow from it.
 */
export const settings = {
  model: {
    of: 'model',
    kind: name,
    default: 'nano',
    about: 'model: a name that `locret models` lists, a folder or a GGUF file',
    makesMemory: true,
    client: true,
    offer: { needsTrust: true },
    option: '--model <name|path>',
  },
  heads: {
    of: 'model',
    kind: path,
    otherwise: "the model's own",
    about: 'retaining heads (safetensors)',
    makesMemory: true,
    client: true,
    offer: { automatic: '', needsTrust: true },
    option: '--heads <file>',
    modelKey: 'heads',
  },
  backend: {
    of: 'model',
    kind: word(backendChoices),
    otherwise: 'auto',
    about: 'where the model runs',
    makesMemory: true,
    client: true,
    offer: { automatic: 'auto' },
    option: '--backend <name>',
  },
  precision: {
    of: 'model',
    kind: word(weightPrecisions),
    otherwise: 'by size',
    about: 'weights while running (16 bits on a GPU only)',
    makesMemory: true,
    client: true,
    offer: { automatic: 'auto' },
    option: '--precision <name>',
  },
  cachePrecision: {
    of: 'model',
    kind: word(cachePrecisions),
    otherwise: 'full if it fits',
    about: 'keys and values on a GPU',
    makesMemory: true,
    client: true,
    option: '--cache-precision <name>',
  },
  threads: {
    of: 'model',
    kind: wholeNumber(1),
    otherwise: 'all cores',
    about: 'threads of the model',
    option: '--threads <n>',
  },
  window: {
    of: 'model',
    kind: wholeNumber(1, 1 << 30),
    otherwise: 'as config.json says',
    about: 'positions that the model really handles well',
    modelKey: 'window',
  },
  attention: {
    of: 'model',
    kind: flag,
    otherwise: 'false',
    about:
      "whether the model's attention points at what a question is about; if not, recall and links go by names alone",
    modelKey: 'attention',
  },
  instructions: {
    of: 'model',
    kind: text,
    otherwise: "the product's own",
    about: 'system sentence before the repository',
    modelKey: 'instructions',
  },
  idleUnloadMinutes: {
    of: 'model',
    kind: number(0),
    default: 30,
    about: 'minutes without use after which the model is unloaded; 0: never',
    client: true,
    offer: {},
  },
  budget: {
    of: 'memory',
    kind: wholeNumber(1),
    otherwise: "the model's, or half the window",
    about: 'cache units every KV head keeps (b of the paper)',
    makesMemory: true,
    client: true,
    offer: { automatic: 'auto' },
    option: '--budget <units>',
    modelKey: 'budget',
  },
  chunk: {
    of: 'memory',
    kind: wholeNumber(1),
    otherwise: "the model's, or window / 8",
    about: 'tokens read per pass (B)',
    makesMemory: true,
    client: true,
    option: '--chunk <tokens>',
    modelKey: 'chunk',
  },
  stabilizers: {
    of: 'memory',
    kind: wholeNumber(0),
    otherwise: "the model's, or 42 % of the budget",
    about: 'newest units exempt from an eviction (n_s)',
    makesMemory: true,
    client: true,
    option: '--stabilizers <units>',
    modelKey: 'stabilizers',
  },
  local: {
    of: 'memory',
    kind: wholeNumber(0),
    otherwise: "the model's, or 100",
    about: 'last tokens of the repository that are never evicted (n_loc)',
    makesMemory: true,
    option: '--local <tokens>',
    modelKey: 'local',
  },
  policy: {
    of: 'memory',
    kind: word(offeredPolicies),
    otherwise: 'locret with retaining heads, else key-difference',
    about: 'which cache units stay',
    makesMemory: true,
    client: true,
    offer: { automatic: 'auto' },
    option: '--policy <name>',
  },
  allocation: {
    of: 'memory',
    kind: word(allocationNames),
    otherwise: "the model's, or even",
    about: 'how the budget is divided between layers and KV heads',
    makesMemory: true,
    client: true,
    option: '--allocation <name>',
    modelKey: 'allocation',
  },
  structure: {
    of: 'memory',
    kind: word(structureNames),
    otherwise: "the model's, or none",
    about: 'what stays before all else',
    makesMemory: true,
    client: true,
    option: '--structure <name>',
    modelKey: 'structure',
  },
  include: {
    of: 'memory',
    kind: texts,
    default: [],
    about: 'read only matching files (.gitignore syntax)',
    makesMemory: true,
    client: true,
    offer: { ofFolder: true },
    option: '--include <pattern>',
  },
  exclude: {
    of: 'memory',
    kind: texts,
    default: [],
    about: 'leave out matching files (.gitignore syntax)',
    makesMemory: true,
    client: true,
    offer: { ofFolder: true },
    option: '--exclude <pattern>',
  },
  maxFileSize: {
    of: 'memory',
    kind: megabytes(0.001, 1024),
    default: 1,
    about: 'leave out larger files (megabytes)',
    makesMemory: true,
    option: '--max-file-size <MB>',
  },
  autoUpdateSeconds: {
    of: 'memory',
    kind: number(0),
    default: 5,
    about: 'seconds without changes after which changed files are folded in; 0: only when asked to',
    client: true,
    offer: {},
  },
  recallTokens: {
    of: 'answers',
    kind: wholeNumber(0),
    otherwise: "the model's, or window / 8",
    about: 'tokens for definitions re-read verbatim; 0 switches recall off',
    client: true,
    offer: { automatic: 'auto' },
    option: '--recall <tokens>',
    modelKey: 'recall',
  },
  temperature: {
    of: 'answers',
    kind: number(0, 5),
    otherwise: "the model's, or 0",
    about: 'randomness of answers; 0 is greedy',
    client: true,
    offer: { automatic: 'model' },
    option: '--temperature <t>',
  },
  topP: {
    of: 'answers',
    kind: number(0, 1),
    otherwise: "the model's, or 1",
    about: 'nucleus sampling',
    option: '--top-p <p>',
  },
  topK: {
    of: 'answers',
    kind: wholeNumber(0),
    otherwise: "the model's, or 0",
    about: 'only the k likeliest tokens; 0 is off',
    option: '--top-k <k>',
  },
  minP: {
    of: 'answers',
    kind: number(0, 1),
    otherwise: '0',
    about: 'only tokens at least p times as likely as the likeliest',
    option: '--min-p <p>',
  },
  repetitionPenalty: {
    of: 'answers',
    kind: number(0.1, 10),
    otherwise: "the model's, or 1",
    about: 'makes tokens that were said less likely; 1 is off',
    option: '--repetition-penalty <r>',
  },
  seed: {
    of: 'answers',
    kind: wholeNumber(0),
    otherwise: '0',
    about: 'seed of the sampling',
    option: '--seed <n>',
  },
  stop: {
    of: 'answers',
    kind: texts,
    default: [],
    about: 'end the answer at this text',
    option: '--stop <text>',
  },
  answerTokens: {
    of: 'answers',
    kind: wholeNumber(1),
    default: 256,
    about: 'longest answer, in tokens',
    client: true,
    offer: {},
    option: '--tokens <n>',
  },
  logLevel: {
    of: 'answers',
    kind: word(logLevels),
    default: 'info',
    about: 'how much the log tells',
    client: true,
    offer: {},
  },
} as const satisfies Readonly<Record<string, ReadingSetting>>;

type Table = typeof settings;
export type SettingName = keyof Table;
/** All settings, with defaults filled in. */
export type Choices = Chosen<Table>;

/** Those of which another value makes another memory. */
export type MemorySettingName = NamesWith<'makesMemory', Table>;

/** Those that decide how an answer is given, as the command line has them. */
export type AnswerSettingName = {
  [Name in NamesWith<'option', Table>]: Table[Name]['of'] extends 'answers' ? Name : never;
}[NamesWith<'option', Table>];

/** What decides a memory beside its model and its files; what is left out is chosen by the plan or the model's folder. */
export type MemoryChoices = Pick<
  Given<Table>,
  Exclude<MemorySettingName, 'model' | 'include' | 'exclude' | 'maxFileSize'>
>;

/** The settings that a model folder's `locret.json` may hold, by their keys there. */
type ModelTable = { readonly [Name in NamesWith<'modelKey', Table> as Table[Name]['modelKey']]: Table[Name] };
function byModelKey(): ModelTable;
function byModelKey(): SettingTable {
  return Object.fromEntries(
    Object.values(settings).flatMap((setting) => ('modelKey' in setting ? [[setting.modelKey, setting]] : [])),
  );
}
export const modelSettings = byModelKey();
export type LocretSettings = Given<ModelTable>;

/**
 * What the user of an editor chose. Sent as `initializationOptions.settings` and again, whole, with
 * `workspace/didChangeConfiguration` (`settings.locret`). What is left out is chosen by the sidecar. A change of what
 * decides a memory unloads the model; it is loaded again when it is next needed.
 */
export interface SidecarSettings extends Pick<Given<Table>, NamesWith<'client', Table>> {
  /** False while the user does not trust the open folders: then nothing is trained. Default true. */
  readonly trusted?: boolean | undefined;
}

/** `initializationOptions` of `initialize`. */
export interface InitializationOptions {
  readonly settings?: SidecarSettings | undefined;
}
