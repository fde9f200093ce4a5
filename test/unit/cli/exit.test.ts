import { describe, expect, it, vi } from 'vitest';
import { exitCodes, printable, reportFailure } from '../../../server/cli/exit.js';
import { cancelled, LocretError } from '../../../server/errors.js';

function reported(error: unknown): { code: number; text: string } {
  let text = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  try {
    return { code: reportFailure(error), text };
  } finally {
    write.mockRestore();
  }
}

describe('how the process ends', () => {
  it('prints a foreseen failure with its remedy and without a stack', () => {
    const { code, text } = reported(new LocretError('model-not-found', 'No model x.', 'Choose another.'));
    expect(code).toBe(exitCodes.failure);
    expect(text).toBe('\nlocret: No model x.\nChoose another.\n');
  });

  it('ends like any interrupted program when the user cancels', () => {
    expect(reported(cancelled('Reading')).code).toBe(130);
  });

  it('keeps the stack of a failure that nobody foresaw', () => {
    expect(reported(new TypeError('boom')).text).toMatch(/unexpected error[\s\S]*TypeError: boom[\s\S]*at /);
  });

  it('lets no control character of a file name reach the terminal', () => {
    expect(printable('a\u001b[31mb\u0007\r\nc\u009bd')).toBe('a[31mb\ncd');
  });
});
