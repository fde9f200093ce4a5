import * as prettier from 'prettier';
import type { Kind } from '../../server/contract/kinds.js';
import type { Setting, SettingTable } from '../../server/contract/setting.js';
import type { ReadingSetting } from '../../server/contract/settings.js';
import type { Table } from './manifest.js';

const head = `<!-- Made by \`npm run settings\` from server/contract/settings.ts and training.ts. -->

# Settings

What is chosen in the editor or on the command line counts before what the model's \`locret.json\` says, and that before what
Locret works out from the model and the memory there is. Another value of a setting marked ● makes another memory: the
repository is read once more, and the memory before stays on disk.

VS Code offers what is a choice of yours. Settings in _italics_ are facts of a model: whoever prepares a model writes them into
its folder's \`locret.json\`. On the command line they can be tried; written by hand into VS Code's \`settings.json\`, or sent by
another editor ([protocol.md](protocol.md)), they are taken too.
`;

const titles = { model: 'The model', memory: 'Reading and memory', answers: 'Answers' };

function valuesOf({ form, words, least, most }: Kind<unknown>): string {
  if (words !== undefined) return words.map(code).join(', ');
  if (form === 'flag') return 'true or false';
  if (least === undefined) return `a ${form}`;
  return `${form}, ${most === Infinity ? `at least ${least}` : `${least} to ${most ?? least}`}`;
}

function defaultOf({ default: written, otherwise = '' }: Setting): string {
  if (written === undefined) return otherwise;
  return Array.isArray(written) ? 'none' : code(String(written));
}

function code(text: string): string {
  return `\`${text}\``;
}

function flagOf({ option }: Setting): string {
  return option === undefined ? '' : code(option.replace(/ .*/, ''));
}

/** A Markdown table; the first row is its head. */
function table([columns = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '-')), ...rows.map(line)].join('\n');
}

function rowOf(name: string, setting: ReadingSetting): string[] {
  const { client, offer, modelKey, about, kind, makesMemory } = setting;
  const inEditor = client === undefined ? '' : offer === undefined ? `_locret.${name}_` : code(`locret.${name}`);
  const key = modelKey === undefined ? '' : code(modelKey);
  const what = makesMemory === true ? `${about} ●` : about;
  return [inEditor, flagOf(setting), key, what, valuesOf(kind), defaultOf(setting)];
}

/** The page about settings, docs/settings.md. */
export async function settingsPage(settings: Table, trainingSettings: SettingTable): Promise<string> {
  const columns = ['in the editor', 'command line', '`locret.json`', 'what it is', 'values', 'default'];
  const sections = Object.entries(titles).map(([section, title]) => {
    const entries = Object.entries(settings).filter(([, { of }]) => of === section);
    return `## ${title}\n\n${table([columns, ...entries.map(([name, setting]) => rowOf(name, setting))])}\n`;
  });
  const training = Object.values(trainingSettings).map((setting) => [
    flagOf(setting),
    setting.about,
    valuesOf(setting.kind),
    defaultOf(setting),
  ]);
  const ofTraining = table([['`locret train`', 'what it is', 'values', 'default'], ...training]);
  return prettier.format([head, ...sections, `## Training\n\n${ofTraining}\n`].join('\n'), { parser: 'markdown' });
}
