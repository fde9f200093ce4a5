import type { Localization } from '../localization.js';

/**
 * How full the bar of a share is, 0..1. Of a large repository a thousandth is kept and of a few lines all, so the scale
 * counts doublings: nothing kept is empty, the best is full, and between them twice as much is the same step further,
 * once it is more than the average.
 *
 * @param kept share of cache units that is kept, 0..1
 * @param average share of the whole repository
 * @param best the share that fills the bar
 */
export function fillOf(kept: number, average: number, best: number): number {
  if (kept <= 0 || best <= 0) return 0;
  if (kept >= best || average <= 0) return 1;
  return Math.log1p(kept / average) / Math.log1p(best / average);
}

/** The step that a fill falls into: 0 for empty, otherwise 1 to `steps`. */
export function stepOf(fill: number, steps: number): number {
  return Math.min(steps, Math.ceil(fill * steps));
}

/** `34 %`, `1.8 %`, `0.062 %`: two digits that count. */
export function shareText(share: number, { language }: Localization): string {
  return `${(share * 100).toLocaleString(language, { maximumSignificantDigits: 2 })} %`;
}
