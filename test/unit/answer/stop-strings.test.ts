import { describe, expect, it } from 'vitest';
import { StopStrings } from '../../../server/answer/stop-strings.js';

function run(strings: readonly string[], pieces: readonly string[]): { text: string; stopped: boolean } {
  const stop = new StopStrings(strings);
  let text = '';
  for (const piece of pieces) text += stop.push(piece);
  return { text: text + stop.end(), stopped: stop.stopped };
}

describe('stop strings', () => {
  it('end the text wherever the pieces break', () => {
    const text = 'one two\n\nUser: three';
    for (let size = 1; size <= text.length; size++) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(run(['\n\nUser:', 'three'], pieces)).toEqual({ text: 'one two', stopped: true });
    }
  });

  it('give back what only looked like one', () => {
    expect(run(['END.'], ['the E', 'N', 'D', ' and EN'])).toEqual({ text: 'the END and EN', stopped: false });
  });

  it('hold back no more than what could be one', () => {
    const stop = new StopStrings(['abc']);
    expect(stop.push('xab')).toBe('x');
    expect(stop.push('ab')).toBe('ab');
    expect(stop.push('d')).toBe('abd');
  });

  it('let the first of several decide', () => {
    expect(run(['late', 'early'], ['so early, so late'])).toEqual({ text: 'so ', stopped: true });
  });

  it('that are empty stop nothing', () => {
    expect(run([''], ['text'])).toEqual({ text: 'text', stopped: false });
  });
});
