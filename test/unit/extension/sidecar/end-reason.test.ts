import { describe, expect, it } from 'vitest';
import { describeEnd } from '../../../../extension/sidecar/end-reason.js';
import { english } from '../english.js';

const end = { exitCode: 1, signal: null, lastOutput: [], busy: false, at: 0 };

describe('describeEnd', () => {
  it('names the exit code, the signal or what kept the process from starting', () => {
    const restart = { action: 'restart', outOfMemory: false } as const;
    expect(describeEnd(end, restart, english)).toContain('exit code 1');
    expect(describeEnd({ ...end, exitCode: null, signal: 'SIGSEGV' }, restart, english)).toContain('SIGSEGV');
    expect(describeEnd({ ...end, exitCode: -2, lastOutput: ['spawn ENOENT'] }, restart, english)).toContain(
      'spawn ENOENT',
    );
  });

  it('says what to do where memory ran out', () => {
    for (const action of ['restart', 'stop'] as const) {
      const text = describeEnd({ ...end, exitCode: 134 }, { action, outOfMemory: true }, english);
      expect(text).toContain('ran out of memory');
      expect(text).toContain('smaller model or budget');
    }
  });
});
