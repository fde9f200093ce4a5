import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject } from '../../contract/json.js';
import { LocretError, systemErrorCode, throwIfCancelled } from '../../errors.js';
import { isProcessAlive } from '../../process-alive.js';

const pollMilliseconds = 250;
/** How often the holder touches its lock, to show that it lives. */
const signOfLife = 5_000;
/**
 * A lock that was not touched for so long is abandoned, whoever has the holder's process id now: ids are used again, and
 * the processes of other machines cannot be seen.
 */
const longestSilence = 60_000;

/** A lock's text; empty when it is gone or cannot be read. */
async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

/** The process that wrote a lock. Undefined when that cannot be read, as when writing it was cut short. */
function holderOf(text: string): { readonly pid: number; readonly host: string } | undefined {
  try {
    const parse: (text: string) => unknown = JSON.parse;
    const value = parse(text);
    if (!isJsonObject(value)) return undefined;
    const { pid, host } = value;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

/** True when whoever wrote the lock cannot release it any more. */
async function isAbandoned(file: string, text: string): Promise<boolean> {
  const holder = holderOf(text);
  if (holder?.host === os.hostname() && !isProcessAlive(holder.pid)) return true;
  const status = await stat(file).catch(() => undefined);
  return status !== undefined && Date.now() - status.mtimeMs > longestSilence;
}

/** Creates a lock unless it is there: at one go, so that hardly ever one without its holder's name is left behind. */
async function tryLock(file: string, text: string): Promise<boolean> {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    // A full disk takes the name and not the text.
    await rm(file, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Removes a lock if it is abandoned. Only one process at a time looks and removes, so that none removes the lock that
 * another has just put in the old one's place.
 * @returns true when the lock is worth another try at once
 */
async function removeAbandoned(file: string): Promise<boolean> {
  const guard = `${file}.takeover`;
  if (!(await tryLock(guard, ''))) {
    const status = await stat(guard).catch(() => undefined);
    const isLeftOver = status !== undefined && Date.now() - status.mtimeMs > longestSilence;
    if (isLeftOver) await rm(guard, { force: true });
    return isLeftOver;
  }
  try {
    const isFree = await isAbandoned(file, await readText(file));
    if (isFree) await rm(file, { force: true });
    return isFree;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Keeps a lock that was taken; returns what releases it. */
function hold(file: string, text: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    // A lock that somebody removed needs no sign of life.
    utimes(file, now, now).catch(() => undefined);
  }, signOfLife);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if ((await readText(file)) === text) await rm(file, { force: true });
  };
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
  const { patience, onWait, signal } = options;
  const started = Date.now();
  const text = JSON.stringify({ pid: process.pid, host: os.hostname(), id: randomUUID() });
  let told = false;
  for (;;) {
    throwIfCancelled(signal, 'Waiting for another process');
    let found: string;
    try {
      await mkdir(path.dirname(file), { recursive: true });
      if (await tryLock(file, text)) return hold(file, text);
      if (!existsSync(file)) continue;
      found = await readText(file);
      if ((await isAbandoned(file, found)) && (await removeAbandoned(file))) continue;
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
    const holder = holderOf(found);
    if (!told) onWait(holder?.pid);
    told = true;
    if (Date.now() - started > patience) {
      throw new LocretError(
        'memory-locked',
        `Process ${holder?.pid ?? 'unknown'} has been reading this repository for too long; its lock is ${file}.`,
        'Wait for it or end it; if it has ended already, remove the lock file.',
      );
    }
    await delay(pollMilliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}
