import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { lock } from '../../../../server/memory/keeping/lock.js';
import { refusalOf, temporaryFolder } from '../repository-under-test.js';

let file: string;
let waits: (number | undefined)[];

beforeEach(() => {
  file = path.join(temporaryFolder(), 'memories', 'repository.lock');
  waits = [];
});

function take(patience: number, signal?: AbortSignal): ReturnType<typeof lock> {
  return lock(file, {
    patience,
    signal,
    onWait: (pid) => {
      waits.push(pid);
    },
  });
}

/** Writes the lock of another process. */
function foreignLock(pid: number, host = os.hostname()): void {
  writeFileSync(file, JSON.stringify({ pid, host, id: 'another' }));
}

/** The id of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('the lock of a memory', () => {
  it('is a file that is gone once it is released', async () => {
    const release = await take(0);
    expect(readFileSync(file, 'utf8')).toContain(`"pid":${process.pid}`);
    await release?.();
    expect(existsSync(file)).toBe(false);
    expect(waits).toEqual([]);
  });

  it('lets the next one in when it is released, and tells once whom it waits for', async () => {
    const order: string[] = [];
    const first = await take(0);
    const second = take(10_000).then((release) => {
      order.push('second taken');
      return release;
    });
    await expect.poll(() => waits).toEqual([process.pid]);
    order.push('first released');
    await first?.();
    await (
      await second
    )?.();
    expect(order).toEqual(['first released', 'second taken']);
    expect(waits).toEqual([process.pid]);
  });

  it('is not taken from a process that lives, and says which one and where', async () => {
    const release = await take(0);
    const { code, message } = await refusalOf(take(0));
    expect(code).toBe('memory-locked');
    expect(message).toContain(`Process ${process.pid}`);
    expect(message).toContain(file);
    await release?.();
  });

  it('is taken over from a process that has ended', async () => {
    await (
      await take(0)
    )?.();
    foreignLock(endedProcess());
    const release = await take(0);
    expect(readFileSync(file, 'utf8')).toContain(`"pid":${process.pid}`);
    expect(waits).toEqual([]);
    await release?.();
    expect(existsSync(file)).toBe(false);
  });

  it('is not taken from another machine while it shows signs of life, and is when it does not', async () => {
    await (
      await take(0)
    )?.();
    foreignLock(endedProcess(), 'another-machine');
    await expect(take(0)).rejects.toMatchObject({ code: 'memory-locked' });
    utimesSync(file, 0, 0);
    await (
      await take(0)
    )?.();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from a process whose id another one has now', async () => {
    await (
      await take(0)
    )?.();
    foreignLock(process.pid);
    utimesSync(file, 0, 0);
    await (
      await take(0)
    )?.();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over when it was cut while being written', async () => {
    await (
      await take(0)
    )?.();
    writeFileSync(file, '{"pid":');
    await expect(take(0)).rejects.toMatchObject({ code: 'memory-locked' });
    utimesSync(file, 0, 0);
    await (
      await take(0)
    )?.();
    expect(existsSync(file)).toBe(false);
  });

  it('is held by one of many that find it abandoned at once', async () => {
    await (
      await take(0)
    )?.();
    foreignLock(endedProcess());
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const release = await take(60_000);
        most = Math.max(most, ++holders);
        await new Promise((resolve) => setTimeout(resolve, 20));
        holders -= 1;
        await release?.();
      }),
    );
    expect(most).toBe(1);
  });

  it('is not removed by who lost it', async () => {
    const release = await take(0);
    foreignLock(process.pid);
    await release?.();
    expect(readFileSync(file, 'utf8')).toContain('another');
  });

  it('ends waiting when it is cancelled', async () => {
    const release = await take(0);
    const cancel = new AbortController();
    const second = take(60_000, cancel.signal);
    await expect.poll(() => waits.length).toBe(1);
    cancel.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    await release?.();
  });

  it('is not needed where no file can be written', async () => {
    const blocked = path.join(temporaryFolder(), 'a-file');
    writeFileSync(blocked, '');
    file = path.join(blocked, 'repository.lock');
    expect(await take(0)).toBeUndefined();
  });
});
