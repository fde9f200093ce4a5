import type { SidecarSettings } from '../../server/contract/protocol.js';
import { backendChoices, logLevels, offeredPolicies, weightPrecisions } from '../../server/contract/words.js';

/** Reads one setting under `locret.`; undefined where it is not set. */
export type ReadSetting = (name: string) => unknown;

export interface SettingsReading {
  readonly settings: SidecarSettings;
  /** Names of settings whose value is none of the allowed ones; they count as not set. */
  readonly refused: readonly string[];
}

/** Values that mean: let the sidecar choose. */
const chosenBySidecar: readonly unknown[] = [undefined, null, 'auto', 'model', ''];

/**
 * What the user set in VS Code, as the sidecar takes it. VS Code does not hold a settings file to the manifest's schema,
 * so every value is checked here; what is `auto` or does not fit is left out.
 */
export function readSettings(read: ReadSetting): SettingsReading {
  const refused: string[] = [];

  function setting<Name extends string, const Value>(
    name: Name,
    accept: (value: unknown) => Value | undefined,
  ): Partial<Record<Name, Value>>;
  function setting<Value>(name: string, accept: (value: unknown) => Value | undefined): Partial<Record<string, Value>> {
    const value = read(name);
    if (chosenBySidecar.includes(value)) return {};
    const accepted = accept(value);
    if (accepted !== undefined) return { [name]: accepted };
    refused.push(`locret.${name}`);
    return {};
  }

  const settings: SidecarSettings = {
    ...setting('model', text),
    ...setting('heads', text),
    ...setting('backend', oneOf(backendChoices)),
    ...setting('precision', oneOf(weightPrecisions)),
    ...setting('budget', integerFrom(1)),
    ...setting('chunk', integerFrom(1)),
    ...setting('stabilizers', integerFrom(0)),
    ...setting('policy', oneOf(offeredPolicies)),
    ...setting('recallTokens', integerFrom(0)),
    ...setting('include', texts),
    ...setting('exclude', texts),
    ...setting('autoUpdateSeconds', numberBetween(0, Infinity)),
    ...setting('idleUnloadMinutes', numberBetween(0, Infinity)),
    ...setting('temperature', numberBetween(0, 5)),
    ...setting('answerTokens', integerFrom(1)),
    ...setting('logLevel', oneOf(logLevels)),
  };
  return { settings, refused };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function oneOf<Value extends string>(values: readonly Value[]): (value: unknown) => Value | undefined {
  return (value) => values.find((candidate) => candidate === value);
}

function numberBetween(least: number, most: number): (value: unknown) => number | undefined {
  return (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most ? value : undefined;
}

function integerFrom(least: number): (value: unknown) => number | undefined {
  return (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined);
}
