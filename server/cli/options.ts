import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import * as kinds from '../contract/kinds.js';
import type { Setting, SettingTable } from '../contract/setting.js';
import { settings, type AnswerSettingName, type Choices, type ReadingSetting } from '../contract/settings.js';
import { LocretError } from '../errors.js';
import { policyNames } from '../eviction/policy-by-name.js';
import type { MemoryChoice } from '../workspace/settings.js';

/** What every command that reads a repository can be told. */
export interface ReadingOptions extends MemoryChoice {
  readonly repo: string;
}

/** How an answer is generated. */
export type AnswerOptions = Pick<Choices, AnswerSettingName>;

/** A parser of what the command line says of a value, for commander. */
function parser<Value>(kind: kinds.Kind<Value>): (said: string) => Value {
  return (said) => {
    const written = kind.form === 'path' ? userPath(said) : said;
    const value = kind.accept(kind.least === undefined ? written : said.trim() === '' ? undefined : Number(said));
    if (value !== undefined) return value;
    const expected = kind.words === undefined ? kind.expected : `one of: ${kind.words.join(', ')}`;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

/** A parser of whole numbers of at least `least`, for commander. */
export function wholeNumber(least: number): (said: string) => number {
  return parser(kinds.wholeNumber(least));
}

/** A parser of one of several words, for commander. */
export function oneOf<Word extends string>(words: readonly Word[]): (said: string) => Word {
  return parser(kinds.word(words));
}

/** A path as the user meant it: npm runs scripts in the package's folder and tells where the user stood. */
export function userPath(text: string): string {
  return path.resolve(process.env['INIT_CWD'] ?? process.cwd(), text);
}

/** @throws LocretError repository-not-found when it was removed meanwhile */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    const message = 'The folder that this command was started in does not exist any more.';
    throw new LocretError('repository-not-found', message, 'Change to a folder that exists.', { cause: error });
  }
}

/** The option of a setting. Lists are given text by text. */
class SettingOption extends Option {
  constructor(
    private readonly setting: string,
    { kind, about, option = '', otherwise, default: written }: Setting,
  ) {
    const words = kind.words === undefined ? '' : `: ${kind.words.join(', ')}`;
    const more = kind.form === 'list' ? '; repeatable' : otherwise === undefined ? '' : `; default: ${otherwise}`;
    super(option, about + words + more);
    if (kind.form === 'list') {
      this.argParser((said, earlier: readonly string[]) => [...earlier, said]).default([], 'none');
    } else {
      this.argParser(parser(kind));
      if (written !== undefined) this.default(kind.accept(written), String(written));
    }
  }

  /** Its value is called as the setting is, whatever its flag. */
  override attributeName(): string {
    return this.setting;
  }
}

/** Adds the options that settings have. */
export function withSettings(command: Command, table: SettingTable): Command {
  for (const [name, setting] of Object.entries(table))
    if (setting.option !== undefined) command.addOption(new SettingOption(name, setting));
  return command;
}

/** Policies that are not offered to users, for measurements, can be named too. */
const settingsOfTerminal: Readonly<Record<string, ReadingSetting>> = {
  ...settings,
  policy: { ...settings.policy, kind: kinds.word(policyNames) },
};

function withSettingsOf(command: Command, concerns: (setting: ReadingSetting) => boolean): Command {
  return withSettings(
    command,
    Object.fromEntries(Object.entries(settingsOfTerminal).filter(([, setting]) => concerns(setting))),
  );
}

/** Adds the options of {@link ReadingOptions} to a command. */
export function withReadingOptions(command: Command): Command {
  command.option('--repo <folder>', 'repository to read', userPath, currentFolder());
  return withSettingsOf(command, ({ of }) => of !== 'answers');
}

/** What a command can be told that reads a repository's texts, and no model. */
export type SurveyChoice = Pick<Choices, 'include' | 'exclude' | 'maxFileSize'> & { readonly repo: string };

/** Adds the options of {@link SurveyChoice} to a command. */
export function withSurveyOptions(command: Command): Command {
  const { include, exclude, maxFileSize } = settings;
  command.option('--repo <folder>', 'repository to read', userPath, currentFolder());
  return withSettings(command, { include, exclude, maxFileSize });
}

/** Adds the options of {@link AnswerOptions} to a command. */
export function withAnswerOptions(command: Command): Command {
  return withSettingsOf(command, ({ of }) => of === 'answers');
}
