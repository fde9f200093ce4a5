import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  type CachePrecision,
  cachePrecisions,
  type Sampling,
  type WeightPrecision,
  weightPrecisions,
} from '../engine/engine.js';
import { LocretError } from '../errors.js';
import { type AllocationName, allocationNames } from '../memory/policies/allocation.js';
import { type StructureName, structureNames } from '../memory/structure.js';
import { type BackendChoice, backendChoices } from '../memory/plan.js';
import { policyNames } from '../memory/policies/policy-by-name.js';
import type { PolicyName } from '../memory/policies/policy.js';

/** What every command that reads a repository can be told. */
export interface ReadingOptions {
  readonly repo: string;
  readonly model: string;
  readonly heads?: string;
  readonly policy?: PolicyName;
  readonly allocation?: AllocationName;
  readonly structure?: StructureName;
  readonly backend?: BackendChoice;
  readonly precision?: WeightPrecision;
  readonly cachePrecision?: CachePrecision;
  readonly budget?: number;
  readonly chunk?: number;
  readonly stabilizers?: number;
  readonly local?: number;
  readonly threads?: number;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly maxFileSize: number;
}

/** How an answer is generated. */
export interface AnswerOptions {
  readonly recall?: number;
  readonly tokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop: readonly string[];
}

/** A parser of whole numbers of at least `least`, for commander. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    return value;
  };
}

/** A parser of numbers in a closed range, for commander. */
export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most))
      throw new InvalidArgumentError(`Expected a number between ${least} and ${most}.`);
    return value;
  };
}

/** A parser of one of several words, for commander. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new InvalidArgumentError(`Expected one of: ${words.join(', ')}.`);
    return word;
  };
}

/** An option that may be given several times; none by default. */
export function repeatable(flags: string, description: string): Option {
  const collect = (text: string, earlier: readonly string[]): string[] => [...earlier, text];
  return new Option(flags, description).argParser(collect).default([], 'none');
}

const megabyte = 1 << 20;

/** A path as the user meant it: npm runs scripts in the package's folder and tells where the user stood. */
export function userPath(text: string): string {
  return path.resolve(process.env['INIT_CWD'] ?? process.cwd(), text);
}

/** @throws LocretError repository-not-found when it was removed meanwhile */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const message = 'The folder that this command was started in does not exist any more.';
    throw new LocretError('repository-not-found', message, 'Change to a folder that exists.', { cause: error });
  }
}

/** The limit of file sizes; its value is in bytes. */
export function maxFileSizeOption(): Option {
  return new Option('--max-file-size <MB>', 'leave out larger files')
    .argParser((text) => Math.floor(numberBetween(0.001, 1024)(text) * megabyte))
    .default(megabyte, '1');
}

/** Adds the options of {@link ReadingOptions} to a command. */
export function withReadingOptions(command: Command): Command {
  return command
    .option('--repo <folder>', 'repository to read', userPath, currentFolder())
    .option('--model <name|folder>', 'model: a name that `locret models` lists, or a folder', 'nano')
    .option('--heads <file>', "retaining heads (safetensors); default: the model's own", userPath)
    .option('--policy <name>', `which cache units stay: ${policyNames.join(', ')}`, oneOf(policyNames))
    .option(
      '--allocation <name>',
      `how the budget is divided between layers and KV heads: ${allocationNames.join(', ')}`,
      oneOf(allocationNames),
    )
    .option('--structure <name>', `what stays before all else: ${structureNames.join(', ')}`, oneOf(structureNames))
    .option('--backend <name>', `where the model runs: ${backendChoices.join(', ')}`, oneOf(backendChoices))
    .option(
      '--precision <name>',
      `weights while running: ${weightPrecisions.join(', ')} (16 bits on a GPU only)`,
      oneOf(weightPrecisions),
    )
    .option(
      '--cache-precision <name>',
      `keys and values on a GPU: ${cachePrecisions.join(', ')}`,
      oneOf(cachePrecisions),
    )
    .option('--budget <units>', 'cache units every KV head keeps', wholeNumber(1))
    .option('--chunk <tokens>', 'tokens read per pass', wholeNumber(1))
    .option('--stabilizers <units>', 'newest units exempt from eviction', wholeNumber(0))
    .option('--local <tokens>', 'last tokens of the repository that are never evicted', wholeNumber(0))
    .option('--threads <n>', 'threads of the model', wholeNumber(1))
    .addOption(repeatable('--include <pattern>', 'read only matching files (.gitignore syntax; repeatable)'))
    .addOption(repeatable('--exclude <pattern>', 'leave out matching files (.gitignore syntax; repeatable)'))
    .addOption(maxFileSizeOption());
}

/** Adds the options of {@link AnswerOptions} to a command. */
export function withAnswerOptions(command: Command): Command {
  return command
    .option('--recall <tokens>', 'tokens for definitions re-read verbatim; 0 switches recall off', wholeNumber(0))
    .option('--tokens <n>', 'longest answer, in tokens', wholeNumber(1), 256)
    .option('--temperature <t>', '0 is greedy', numberBetween(0, 5))
    .option('--top-p <p>', 'nucleus sampling', numberBetween(0, 1))
    .option('--top-k <k>', 'only the k likeliest tokens; 0 is off', wholeNumber(0))
    .option('--min-p <p>', 'only tokens at least p times as likely as the likeliest', numberBetween(0, 1))
    .option('--repetition-penalty <r>', '1 is off', numberBetween(0.1, 10))
    .option('--seed <n>', 'seed of the sampling', wholeNumber(0))
    .addOption(repeatable('--stop <text>', 'end the answer at this text (repeatable)'));
}

/** The sampling that was asked for: only what was given, so that the model's own settings fill the rest. */
export function samplingOf(options: AnswerOptions): Partial<Sampling> {
  return {
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.topP === undefined ? {} : { topP: options.topP }),
    ...(options.topK === undefined ? {} : { topK: options.topK }),
    ...(options.minP === undefined ? {} : { minP: options.minP }),
    ...(options.repetitionPenalty === undefined ? {} : { repetitionPenalty: options.repetitionPenalty }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
}
