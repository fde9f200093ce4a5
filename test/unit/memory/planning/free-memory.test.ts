import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeMemory, leftInContainer } from '../../../../server/memory/planning/free-memory.js';
import { temporaryFolder } from '../repository-under-test.js';

/** A folder with the files of a control group. */
function group(folder: string, files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  mkdirSync(path.join(root, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, folder, name), text);
  return root;
}

describe('free memory', () => {
  it('is something, and no more than the machine has', () => {
    expect(freeMemory()).toBeGreaterThan(0);
    expect(freeMemory()).toBeLessThanOrEqual(os.totalmem());
  });

  it('is limited by the container, in which file contents that can be given up are free', () => {
    const v2 = group('sys/fs/cgroup', {
      'memory.max': '1000\n',
      'memory.current': '900\n',
      'memory.stat': 'anon 300\nfile 600\ninactive_file 400\nactive_file 150\n',
    });
    expect(leftInContainer(v2)).toBe(650);
    const v1 = group('sys/fs/cgroup/memory', {
      'memory.limit_in_bytes': '1000',
      'memory.usage_in_bytes': '900',
      'memory.stat': 'inactive_file 1\ntotal_inactive_file 400\ntotal_active_file 150\n',
    });
    expect(leftInContainer(v1)).toBe(650);
  });

  it('is what the limit leaves where nothing is told of file contents', () => {
    expect(leftInContainer(group('sys/fs/cgroup', { 'memory.max': '1000', 'memory.current': '900' }))).toBe(100);
    expect(leftInContainer(group('sys/fs/cgroup', { 'memory.max': '1000', 'memory.current': '1900' }))).toBe(0);
  });

  it('is not limited by a container without a limit', () => {
    expect(leftInContainer(group('sys/fs/cgroup', { 'memory.max': 'max', 'memory.current': '900' }))).toBeUndefined();
    expect(leftInContainer(temporaryFolder())).toBeUndefined();
  });
});
