import { openSync, readSync, statSync } from 'node:fs';
import { LocretError, messageOf, systemErrorCode } from '../errors.js';
import type { Refusal } from './json-fields.js';

/** Bytes of one read call: some systems refuse more than 2 GiB. */
const largestRead = 1 << 30;

/** An error about a file of weights. */
export function refuse(path: string, refusal: Refusal, what: string, cause?: unknown): LocretError {
  return new LocretError(refusal.code, `${path} ${what}.`, refusal.remedy, { cause });
}

/** Opens a file of weights for reading; a pipe or device, which could block or never end, is refused unopened. */
export function openRegularFile(path: string, refusal: Refusal): number {
  try {
    if (statSync(path).isFile()) return openSync(path, 'r');
  } catch (error) {
    const missing = systemErrorCode(error) === 'ENOENT';
    throw refuse(path, refusal, missing ? 'is missing' : `cannot be opened: ${messageOf(error)}`, error);
  }
  throw refuse(path, refusal, 'is not a regular file');
}

/** Fills the target from a position of the file; returns how many bytes there were. */
export function readFully(descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const read = readSync(descriptor, target, done, Math.min(largestRead, target.length - done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
