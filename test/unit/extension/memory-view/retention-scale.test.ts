import { describe, expect, it } from 'vitest';
import { barFill, shadeFill, shareText, stepOf } from '../../../../extension/memory-view/retention-scale.js';
import { english } from '../english.js';

describe('barFill', () => {
  it('is empty for nothing, half full for the average, full for what is kept whole', () => {
    expect(barFill(0, 0.001)).toBe(0);
    expect(barFill(0.001, 0.001)).toBe(0.5);
    expect(barFill(1, 0.7)).toBe(1);
    expect(barFill(0, 0)).toBe(0);
  });

  it('takes an eighth of the bar for twice as much', () => {
    expect(barFill(0.002, 0.001)).toBeCloseTo(0.625);
    expect(barFill(0.0005, 0.001)).toBeCloseTo(0.375);
    expect(barFill(0.5, 0.001)).toBe(1);
  });

  it('never shrinks when more is kept', () => {
    for (const average of [0.0001, 0.01, 0.3, 0.9]) {
      const fills = Array.from({ length: 101 }, (_, percent) => barFill(percent / 100, average));
      expect(fills).toEqual(fills.slice().sort((a, b) => a - b));
    }
  });
});

describe('shadeFill', () => {
  it('is none for nothing and strongest for everything', () => {
    expect(shadeFill(0, 0.01)).toBe(0);
    expect(shadeFill(1, 0.01)).toBe(1);
    expect(shadeFill(0, 0)).toBe(0);
  });

  it('grows by equal steps for doublings far above the average', () => {
    const [a = 0, b = 0, c = 0, d = 0] = [0.064, 0.128, 0.256, 0.512].map((kept) => shadeFill(kept, 0.0005));
    expect(b - a).toBeCloseTo(c - b, 2);
    expect(c - b).toBeCloseTo(d - c, 2);
    expect(b).toBeGreaterThan(a);
  });

  it('is faint for the average of a large repository and strong for that of a small one', () => {
    expect(shadeFill(0.0006, 0.0006)).toBeLessThan(0.125);
    expect(shadeFill(0.6, 0.6)).toBeGreaterThan(0.5);
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
    [0.2, '20 %'],
    [0.002, '0.20 %'],
    [1, '100 %'],
  ])('writes %d as %s', (share, text) => {
    expect(shareText(share, english)).toBe(text);
  });

  it('writes as the language does', () => {
    expect(shareText(0.0184, { ...english, language: 'de' })).toBe('1,8 %');
  });
});
