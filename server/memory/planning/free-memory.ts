import { readFileSync } from 'node:fs';
import os from 'node:os';

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readNumber(file: string): number | undefined {
  const text = readText(file)?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** `MemAvailable` of Linux: free memory and caches that can be given up. */
function availableOnLinux(): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Where each version of control groups tells of a container's memory. */
const groups = [
  { folder: '/sys/fs/cgroup', limit: 'memory.max', used: 'memory.current', fields: ['inactive_file', 'active_file'] },
  {
    folder: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    fields: ['total_inactive_file', 'total_active_file'],
  },
];

/** Bytes of file contents that the system keeps at hand and gives up when memory is short. */
function cachedFiles(statistics: string, fields: readonly string[]): number {
  const counts = new Map(statistics.split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
  return fields.reduce((sum, field) => sum + (counts.get(field) ?? 0), 0);
}

/**
 * What a container may still take (control groups v2 and v1). Files that were read count as used by it, but leave when
 * room is needed.
 * @param root in front of the system's folders
 * @returns bytes; undefined without a limit
 */
export function leftInContainer(root = ''): number | undefined {
  for (const { folder, limit, used, fields } of groups) {
    const most = readNumber(`${root}${folder}/${limit}`);
    const taken = readNumber(`${root}${folder}/${used}`);
    if (most === undefined || taken === undefined) continue;
    const given = cachedFiles(readText(`${root}${folder}/memory.stat`) ?? '', fields);
    return Math.max(0, most - Math.max(0, taken - given));
  }
  return undefined;
}

/** Bytes of memory that this process can still take without pushing others out. */
export function freeMemory(): number {
  return Math.min(availableOnLinux() ?? os.freemem(), leftInContainer() ?? Infinity);
}
