import { describe, expect, it } from 'vitest';
import { shadeMark, shareBar } from '../../../../extension/memory-view/share-bar.js';

/** Widths of the rectangles of a picture. */
function widths(uri: string): number[] {
  const svg = decodeURIComponent(uri.replace('data:image/svg+xml,', ''));
  return [...svg.matchAll(/<rect [^>]*?\bwidth="([\d.]+)"/g)].map(([, width]) => Number(width));
}

describe('shareBar', () => {
  it('fills its track as far as the share says', () => {
    const [track = 0, half = 0] = widths(shareBar(0.5, 'dark'));
    expect(half / track).toBeCloseTo(0.5, 1);
    expect(widths(shareBar(1, 'light'))).toEqual([track, track]);
  });

  it('shows the least share, and nothing for none', () => {
    expect(widths(shareBar(0.0001, 'dark'))[1]).toBe(1);
    expect(widths(shareBar(0, 'dark'))).toHaveLength(1);
  });

  it('has other colours for light themes', () => {
    expect(shareBar(0.5, 'light')).not.toBe(shareBar(0.5, 'dark'));
  });
});

describe('shadeMark', () => {
  it('grows with the share', () => {
    const lengths = [0.125, 0.5, 1].map((fill) => widths(shadeMark(fill, 'dark'))[0] ?? 0);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(new Set(lengths).size).toBe(3);
  });
});
