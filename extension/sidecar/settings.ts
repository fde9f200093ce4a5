import { collect } from '../../server/contract/setting.js';
import { settings, type SidecarSettings } from '../../server/contract/settings.js';

/** Reads one setting under `locret.`; undefined where it is not set. */
export type ReadSetting = (name: string) => unknown;

export interface SettingsReading {
  readonly settings: SidecarSettings;
  /** Names of settings whose value is none of the allowed ones; they count as not set. */
  readonly refused: readonly string[];
}

/** Values that mean: let the sidecar choose. */
const chosenBySidecar: readonly unknown[] = [
  undefined,
  null,
  ...Object.values(settings).map(
    (setting) => 'offer' in setting && 'automatic' in setting.offer && setting.offer.automatic,
  ),
];

/**
 * What the user set in VS Code, as the sidecar takes it; also what VS Code does not offer, where somebody wrote it by hand.
 * VS Code does not hold a settings file to the manifest's schema, so every value is checked here; what is `auto` or does
 * not fit is left out.
 */
export function readSettings(read: ReadSetting): SettingsReading {
  const refused: string[] = [];
  const chosen = collect(settings, (name, setting) => {
    const value = 'client' in setting ? read(name) : undefined;
    if (chosenBySidecar.includes(value)) return undefined;
    const accepted = setting.kind.accept(value);
    if (accepted === undefined) refused.push(`locret.${name}`);
    return accepted;
  });
  return { settings: chosen, refused };
}
