import type { Localization } from '../text/localization.js';

/**
 * How full the bar of a file or folder is, 0..1. Of a large repository perhaps a thousandth is kept, of a small one nearly
 * all, so a bar compares with the average: that is half full, and an eighth of the bar is twice as much. What is kept
 * whole is full.
 *
 * @param kept share of its cache units that is kept, 0..1
 * @param average share of the whole repository
 */
export function barFill(kept: number, average: number): number {
  if (kept <= 0) return 0;
  if (average <= 0) return 1;
  return Math.max(kept, Math.min(1, 0.5 + Math.log2(kept / average) / 8));
}

/**
 * How strong the shade of a line is, 0..1. Of most lines of a large repository nothing is kept and of few lines all, so
 * the scale counts doublings from the average, which is faint, to everything, which is strongest.
 *
 * @param kept share of its cache units that is kept, 0..1
 * @param average share of the whole repository
 */
export function shadeFill(kept: number, average: number): number {
  if (kept <= 0) return 0;
  if (average <= 0 || kept >= 1) return 1;
  return Math.log1p(kept / average) / Math.log1p(1 / average);
}

/** The step that a fill falls into: 0 for empty, otherwise 1 to `steps`. */
export function stepOf(fill: number, steps: number): number {
  return Math.min(steps, Math.ceil(fill * steps));
}

/** `34 %`, `1.8 %`, `0.062 %`: two digits that count. */
export function shareText(share: number, { language }: Localization): string {
  if (share <= 0) return '0 %';
  const digits = { minimumSignificantDigits: 2, maximumSignificantDigits: 2 };
  return `${(share * 100).toLocaleString(language, digits)} %`;
}
