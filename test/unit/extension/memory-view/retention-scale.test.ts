import { describe, expect, it } from 'vitest';
import { fillOf, shareText, stepOf } from '../../../../extension/memory-view/retention-scale.js';
import { english } from '../english.js';

describe('fillOf', () => {
  it('is empty for nothing and full for the best', () => {
    expect(fillOf(0, 0.01, 0.5)).toBe(0);
    expect(fillOf(0.5, 0.01, 0.5)).toBe(1);
    expect(fillOf(0, 0, 0)).toBe(0);
  });

  it('grows with the share, by equal steps for doublings far above the average', () => {
    const fills = [0.001, 0.064, 0.128, 0.256, 0.512].map((kept) => fillOf(kept, 0.0005, 1));
    expect(fills.slice().sort((a, b) => a - b)).toEqual(fills);
    const [, a = 0, b = 0, c = 0, d = 0] = fills;
    expect(b - a).toBeCloseTo(c - b, 2);
    expect(c - b).toBeCloseTo(d - c, 2);
  });

  it('shows the average of a small repository as well as that of a large one', () => {
    expect(fillOf(0.6, 0.6, 1)).toBeGreaterThan(0.5);
    expect(fillOf(0.0006, 0.0006, 0.018)).toBeGreaterThan(0.15);
  });
});

describe('stepOf', () => {
  it('is 0 only for an empty bar and never more than there are', () => {
    expect([0, 0.001, 0.125, 0.126, 0.99, 1].map((fill) => stepOf(fill, 8))).toEqual([0, 1, 1, 2, 8, 8]);
  });
});

describe('shareText', () => {
  it.each([
    [0, '0 %'],
    [0.000618, '0.062 %'],
    [0.0184, '1.8 %'],
    [0.344, '34 %'],
    [1, '100 %'],
  ])('writes %d as %s', (share, text) => {
    expect(shareText(share, english)).toBe(text);
  });

  it('writes as the language does', () => {
    expect(shareText(0.0184, { ...english, language: 'de' })).toBe('1,8 %');
  });
});
