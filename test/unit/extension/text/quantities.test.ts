import { describe, expect, it } from 'vitest';
import {
  ageText,
  bytesText,
  countText,
  durationText,
  parametersText,
  percentText,
  progressText,
  shareRead,
} from '../../../../extension/text/quantities.js';
import { english } from '../english.js';
import { progress } from '../status/situations.js';

const german = { ...english, language: 'de' };

describe('quantities', () => {
  it('writes numbers as the user does', () => {
    expect(countText(13_000.4, english)).toBe('13,000');
    expect(countText(13_000.4, german)).toBe('13.000');
    expect(bytesText(1536, english)).toBe('1.5 KB');
    expect(bytesText(1536, german)).toBe('1,5 KB');
    expect(bytesText(980, english)).toBe('980 B');
    expect(bytesText(12.34 * 2 ** 20, english)).toBe('12 MB');
    expect(parametersText(3_100_000, english)).toBe('3.1 M');
    expect(parametersText(494_000_000, english)).toBe('494 M');
    expect(parametersText(1_540_000_000, english)).toBe('1.5 B');
  });

  it('writes durations in their two largest units, and never none', () => {
    expect(durationText(0.2)).toBe('1 s');
    expect(durationText(59.4)).toBe('59 s');
    expect(durationText(125)).toBe('2 min 05 s');
    expect(durationText(4200)).toBe('1 h 10 min');
  });

  it('writes ages in the largest unit', () => {
    const minute = 60_000;
    expect(ageText(0, minute - 1, english)).toBe('just now');
    expect(ageText(0, 5 * minute, english)).toBe('5 minutes ago');
    expect(ageText(0, 61 * minute, english)).toBe('1 hour ago');
    expect(ageText(0, 49 * 60 * minute, english)).toBe('2 days ago');
    expect(ageText(0, 5 * minute, german)).toBe('vor 5 Minuten');
  });

  it('never shows 100 % before everything is read', () => {
    expect(percentText(0.999)).toBe('99 %');
    expect(shareRead({ ...progress, bytes: 0 })).toBe(1);
    expect(shareRead({ ...progress, bytesRead: 2000 })).toBe(1);
  });

  it('writes how far a reading is, and leaves out what cannot be told yet', () => {
    expect(progressText(progress, english)).toBe('43 % · 120 of 420 files · 13,000 tokens/s · 20 s left');
    expect(progressText({ ...progress, tokensPerSecond: 0, secondsLeft: undefined }, english)).toBe(
      '43 % · 120 of 420 files',
    );
  });
});
