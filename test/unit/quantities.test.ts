import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatSeconds } from '../../server/quantities.js';

describe('numbers for people', () => {
  it('groups the digits of counts', () => {
    expect(formatCount(1234567)).toBe('1,234,567');
  });

  it.each([
    [0.0004, '0 ms'],
    [0.84, '840 ms'],
    [3.21, '3.2 s'],
    [12.4, '12 s'],
    [59.7, '1 min 00 s'],
    [125, '2 min 05 s'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KB'],
    [150 * 1024, '150 KB'],
    [5 * 1024 ** 3, '5.0 GB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
