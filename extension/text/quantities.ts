import type { ReadingProgress } from '../conversation/conversation.js';
import type { Localization } from './localization.js';

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `13,000` in the user's way of writing. */
export function countText(count: number, { language }: Localization): string {
  return Math.round(count).toLocaleString(language);
}

/** `980 B`, `1.4 KB`, `12 MB`, `3.1 GB` (powers of 1024). */
export function bytesText(bytes: number, { language }: Localization): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${byteUnits[unit] ?? ''}`;
}

/** `20 s`, `2 min 05 s`, `1 h 10 min`; at least a second. */
export function durationText(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** `just now`, `5 minutes ago`, `2 days ago`. Both times in milliseconds since 1970. */
export function ageText(since: number, now: number, l10n: Localization): string {
  const minutes = Math.floor((now - since) / 60_000);
  if (minutes < 1) return l10n.t('just now');
  const format = new Intl.RelativeTimeFormat(l10n.language);
  if (minutes < 60) return format.format(-minutes, 'minute');
  if (minutes < 60 * 24) return format.format(-Math.floor(minutes / 60), 'hour');
  return format.format(-Math.floor(minutes / (60 * 24)), 'day');
}

/** `3.1 M`, `494 M`, `1.5 B`: numbers of parameters. */
export function parametersText(parameters: number, { language }: Localization): string {
  const [value, unit] = parameters >= 1e9 ? [parameters / 1e9, 'B'] : [parameters / 1e6, 'M'];
  return `${value.toLocaleString(language, { maximumFractionDigits: value >= 10 ? 0 : 1 })} ${unit}`;
}

/** How much of the bytes to be read was read, 0..1. */
export function shareRead({ bytes, bytesRead }: ReadingProgress): number {
  return bytes === 0 ? 1 : Math.min(1, bytesRead / bytes);
}

/** `43 %` */
export function percentText(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** `43 % · 120 of 420 files · 13,000 tokens/s · 20 s left` */
export function progressText(progress: ReadingProgress, l10n: Localization): string {
  const share = shareRead(progress);
  const parts = [
    percentText(share),
    l10n.t('{0} of {1} files', countText(progress.filesRead, l10n), countText(progress.files, l10n)),
  ];
  if (progress.tokensPerSecond > 0) parts.push(l10n.t('{0} tokens/s', countText(progress.tokensPerSecond, l10n)));
  if (progress.secondsLeft !== undefined && share < 1) {
    parts.push(l10n.t('{0} left', durationText(progress.secondsLeft)));
  }
  return parts.join(' · ');
}
