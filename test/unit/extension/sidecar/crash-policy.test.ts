import { describe, expect, it } from 'vitest';
import { CrashPolicy, ranOutOfMemory, type ProcessEnd } from '../../../../extension/sidecar/crash-policy.js';

function end(particulars: Partial<ProcessEnd> = {}): ProcessEnd {
  return { exitCode: 1, signal: null, lastOutput: [], busy: false, at: 0, ...particulars };
}

const minute = 60_000;

describe('ranOutOfMemory', () => {
  it.each([
    ['aborted', end({ exitCode: 134 })],
    ['aborted by signal', end({ exitCode: null, signal: 'SIGABRT' })],
    ['killed while it was loading or reading', end({ exitCode: null, signal: 'SIGKILL', busy: true })],
    ['killed while busy, seen through a shell', end({ exitCode: 137, busy: true })],
    ['a worker without memory', end({ lastOutput: ['x', 'Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated'] })],
    ['a full heap', end({ lastOutput: ['FATAL ERROR: Reached heap limit - JavaScript heap out of memory'] })],
    ['native allocation', end({ lastOutput: ["terminate called after throwing 'std::bad_alloc'"] })],
  ])('sees %s', (_, ended) => {
    expect(ranOutOfMemory(ended)).toBe(true);
  });

  it.each([
    ['an ordinary crash', end()],
    ['a kill while nothing was going on', end({ exitCode: null, signal: 'SIGKILL' })],
    ['a segmentation fault while busy', end({ exitCode: null, signal: 'SIGSEGV', busy: true })],
  ])('does not take %s for it', (_, ended) => {
    expect(ranOutOfMemory(ended)).toBe(false);
  });
});

describe('CrashPolicy', () => {
  it('restarts after a crash and stops after a second one within a minute', () => {
    const policy = new CrashPolicy();
    expect(policy.judge(end({ at: 5 }))).toEqual({ action: 'restart', outOfMemory: false });
    expect(policy.judge(end({ at: 5 + minute - 1 }))).toEqual({ action: 'stop', outOfMemory: false });
  });

  it('restarts after every crash that comes a minute or more after the one before', () => {
    const policy = new CrashPolicy();
    for (let crash = 0; crash < 5; crash += 1) expect(policy.judge(end({ at: crash * minute })).action).toBe('restart');
  });

  it('stops when memory runs out a second time, hours later and with crashes in between', () => {
    const policy = new CrashPolicy();
    expect(policy.judge(end({ exitCode: 134, at: 0 }))).toEqual({ action: 'restart', outOfMemory: true });
    expect(policy.judge(end({ at: 60 * minute })).action).toBe('restart');
    expect(policy.judge(end({ exitCode: 134, at: 300 * minute }))).toEqual({ action: 'stop', outOfMemory: true });
  });

  it('begins anew when the user has restarted', () => {
    const policy = new CrashPolicy();
    policy.judge(end({ exitCode: 134, at: 0 }));
    policy.judge(end({ exitCode: 134, at: 1 }));
    policy.forget();
    expect(policy.judge(end({ exitCode: 134, at: 2 })).action).toBe('restart');
    expect(policy.judge(end({ exitCode: 134, at: 3 })).action).toBe('stop');
  });
});
