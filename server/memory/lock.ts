import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocretError, systemErrorCode, throwIfCancelled } from '../errors.js';
import { isJsonObject } from '../model/json-fields.js';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
}

const pollMilliseconds = 250;
/** A lock file that cannot be read was cut while being written; after this long its writer is gone. */
const unreadableAge = 10_000;

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const parse: (text: string) => unknown = JSON.parse;
    const value = parse(await readFile(file, 'utf8'));
    if (!isJsonObject(value)) return undefined;
    const { pid, host } = value;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** True when whoever wrote the lock cannot release it any more. */
async function isAbandoned(file: string, holder: Holder | undefined): Promise<boolean> {
  if (holder !== undefined) return holder.host === os.hostname() && !isAlive(holder.pid);
  const status = await stat(file).catch(() => undefined);
  return status !== undefined && Date.now() - status.mtimeMs > unreadableAge;
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(JSON.stringify({ pid: process.pid, host: os.hostname() }));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

export interface LockOptions {
  /** How long to wait for another process, milliseconds. */
  readonly patience: number;
  /** Called once when there is something to wait for. */
  readonly onWait: (holder: number | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes a lock between processes: a file that only one can create. The lock of a process that has ended is taken over.
 *
 * @returns what releases it; undefined where no file can be written: then there is nothing to guard either
 * @throws LocretError memory-locked when another process holds it for too long, cancelled
 */
export async function lock(file: string, options: LockOptions): Promise<(() => Promise<void>) | undefined> {
  const started = Date.now();
  let told = false;
  for (;;) {
    throwIfCancelled(options.signal, 'Waiting for another process');
    try {
      await mkdir(path.dirname(file), { recursive: true });
      if (await tryLock(file)) return () => rm(file, { force: true });
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
    const holder = await readHolder(file);
    if (await isAbandoned(file, holder)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) options.onWait(holder?.pid);
    told = true;
    if (Date.now() - started > options.patience) {
      throw new LocretError(
        'memory-locked',
        `Process ${holder?.pid ?? 'unknown'} has been reading this repository for too long; its lock is ${file}.`,
        'Wait for it or end it; if it has ended already, remove the lock file.',
      );
    }
    await delay(pollMilliseconds, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
      () => undefined,
    );
  }
}
