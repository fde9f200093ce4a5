import { bytesText, countText, durationText } from '../../text/quantities.js';
import { l10n } from './localization.js';

/** `1,204` in the user's way of writing. */
export function amount(value: number): string {
  return countText(value, l10n);
}

/** `6.1 MB` */
export function bytes(value: number): string {
  return bytesText(value, l10n);
}

/** `40 ms`, `2.1 s`, `2 min 05 s` */
export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value >= 60) return durationText(value);
  return `${value.toLocaleString(l10n.language, { maximumFractionDigits: 1 })} s`;
}
