import { readFileSync } from 'node:fs';
import os from 'node:os';

function readNumber(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** `MemAvailable` of Linux: free memory and caches that can be given up. */
function availableOnLinux(): number | undefined {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** What a container may still take (cgroup v2 and v1). */
function leftInContainer(): number | undefined {
  const groups = [
    ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current'],
    ['/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory/memory.usage_in_bytes'],
  ] as const;
  for (const [limitFile, usedFile] of groups) {
    const limit = readNumber(limitFile);
    const used = readNumber(usedFile);
    if (limit !== undefined && used !== undefined) return Math.max(0, limit - used);
  }
  return undefined;
}

/** Bytes of memory that this process can still take without pushing others out. */
export function freeMemory(): number {
  return Math.min(availableOnLinux() ?? os.freemem(), leftInContainer() ?? Infinity);
}
