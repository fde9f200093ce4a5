import type { Kind } from './kinds.js';

/** Something that can be chosen. */
export interface Setting {
  readonly kind: Kind<unknown>;
  /** What counts where nobody says otherwise, as it is written; without one it depends. */
  readonly default?: string | number | boolean | readonly string[];
  /** In words, what counts where there is no `default`. */
  readonly otherwise?: string;
  /** What it is, in a line. */
  readonly about: string;
  /** The option of the command line. */
  readonly option?: string;
}

export type SettingTable = Readonly<Record<string, Setting>>;

export type ValueOf<Chosen extends Setting> = Chosen['kind'] extends Kind<infer Value> ? Value : never;

/** Names of settings that have a property. */
export type NamesWith<Property extends PropertyKey, Table> = {
  [Name in keyof Table]: Table[Name] extends Readonly<Record<Property, unknown>> ? Name : never;
}[keyof Table];

/** What somebody says of settings. */
export type Given<Table extends SettingTable> = {
  readonly [Name in keyof Table]?: ValueOf<Table[Name]> | undefined;
};

/** Settings with their defaults filled in. */
export type Chosen<Table extends SettingTable> = Given<Table> & {
  readonly [Name in NamesWith<'default', Table>]: ValueOf<Table[Name]>;
};

/** What is said of each setting. @param read undefined where nothing is said; otherwise a value of the setting's kind */
export function collect<Table extends SettingTable>(
  table: Table,
  read: (name: Extract<keyof Table, string>, setting: Table[keyof Table]) => unknown,
): Given<Table>;
export function collect(table: SettingTable, read: (name: string, setting: Setting) => unknown): object {
  return Object.fromEntries(Object.entries(table).map(([name, setting]) => [name, read(name, setting)]));
}

/** Fills in the defaults of what is not said. */
export function withDefaults<Table extends SettingTable>(table: Table, given: Given<Table>): Chosen<Table>;
export function withDefaults(table: SettingTable, given: Readonly<Record<string, unknown>>): object {
  return collect(table, (name, setting) => given[name] ?? setting.kind.accept(setting.default));
}
