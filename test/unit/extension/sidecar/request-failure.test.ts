import { describe, expect, it } from 'vitest';
import { toRequestFailure } from '../../../../extension/sidecar/request-failure.js';
import { english } from '../english.js';

function errorWith(code: number, data?: unknown): Error {
  return Object.assign(new Error('what happened'), { code, data });
}

describe('toRequestFailure', () => {
  it('keeps code, message and remedy of an error of the sidecar', () => {
    const error = errorWith(-32803, { code: 'out-of-memory', remedy: 'Choose a smaller budget.' });
    expect(toRequestFailure(error, false, english)).toMatchObject({
      code: 'out-of-memory',
      message: 'what happened',
      remedy: 'Choose a smaller budget.',
      announced: false,
    });
  });

  it.each([-32800, -32802])('knows a cancelled request by its code %d', (code) => {
    expect(toRequestFailure(errorWith(code), false, english).code).toBe('cancelled');
  });

  it.each([1, 2, -32096, -32097, -32099])(
    'knows a lost connection by its code %d, which the user was told of',
    (code) => {
      expect(toRequestFailure(errorWith(code), false, english)).toMatchObject({
        code: 'sidecar-stopped',
        announced: true,
      });
    },
  );

  it('blames the end of the process for whatever fails after it', () => {
    expect(toRequestFailure(new Error('Starting server failed'), true, english).code).toBe('sidecar-stopped');
  });

  it.each([
    ['an error without data', errorWith(-32603), 'what happened'],
    ['data of another shape', errorWith(-32603, { code: 3, remedy: 'x' }), 'what happened'],
    ['what is no error', 'a text', 'a text'],
  ])('passes on %s as unexpected', (_, error, message) => {
    expect(toRequestFailure(error, false, english)).toMatchObject({ code: 'unexpected', message });
  });

  it('leaves a failure as it is', () => {
    const failure = toRequestFailure(errorWith(-32603), false, english);
    expect(toRequestFailure(failure, true, english)).toBe(failure);
  });
});
