import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AutoUpdate } from '../../../server/workspace/auto-update.js';

/** A memory with as many changed files as it is told; writes down what is done with it. */
function target(changed: number | undefined) {
  const log: string[] = [];
  const failures: unknown[] = [];
  return {
    log,
    failures,
    changed,
    checkChanges(): Promise<number | undefined> {
      log.push('check');
      return Promise.resolve(this.changed);
    },
    updateInBackground(): Promise<void> {
      log.push('update');
      return Promise.resolve();
    },
  };
}

describe('AutoUpdate', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('looks at the files soon, and folds changes in after the pause', async () => {
    const memory = target(2);
    const updates = new AutoUpdate(memory, () => 5, vi.fn());
    updates.touch();
    await vi.advanceTimersByTimeAsync(600);
    expect(memory.log).toEqual(['check']);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(memory.log).toEqual(['check']);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(memory.log).toEqual(['check', 'update']);
  });

  it('folds nothing in while changes keep coming, but goes on telling of them', async () => {
    const memory = target(1);
    const updates = new AutoUpdate(memory, () => 5, vi.fn());
    for (let i = 0; i < 120; i++) {
      updates.touch();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(memory.log).toEqual(['check', 'check']);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(memory.log).toEqual(['check', 'check', 'check', 'update']);
  });

  it('looks again until it can be told what changed: something else may be done to the memory', async () => {
    const memory = target(undefined);
    const updates = new AutoUpdate(memory, () => 5, vi.fn());
    updates.touch();
    await vi.advanceTimersByTimeAsync(1_600);
    expect(memory.log).toEqual(['check', 'check', 'check']);
    memory.changed = 1;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(memory.log).toEqual(['check', 'check', 'check', 'check', 'update']);
  });

  it('does nothing more when nothing has really changed, or when it is switched off', async () => {
    const same = target(0);
    new AutoUpdate(same, () => 5, vi.fn()).touch();
    const off = target(3);
    new AutoUpdate(off, () => 0, vi.fn()).touch();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(same.log).toEqual(['check']);
    expect(off.log).toEqual(['check']);
  });

  it('tells of a failure and tries again with the next change', async () => {
    const memory = target(1);
    const failures = vi.fn();
    const failing = vi.spyOn(memory, 'checkChanges').mockRejectedValueOnce(new Error('the disk is gone'));
    const updates = new AutoUpdate(memory, () => 1, failures);
    updates.touch();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(failures).toHaveBeenCalledOnce();
    expect(failing).toHaveBeenCalledOnce();
    updates.touch();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(memory.log).toEqual(['check', 'update']);
  });

  it('does nothing any more once it is closed', async () => {
    const memory = target(1);
    const updates = new AutoUpdate(memory, () => 1, vi.fn());
    updates.touch();
    await vi.advanceTimersByTimeAsync(700);
    updates.close();
    updates.touch();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(memory.log).toEqual(['check']);
  });
});
