import { messageOf, systemErrorCode } from '../errors.js';
import type { Verdict } from './classify.js';

/**
 * Why a file could not be opened or read, from what the system threw.
 *
 * @throws the same value when it is no error of the system
 */
export function verdictOfSystemError(error: unknown, filePath: string): Verdict {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  if (code === 'ENOENT' && filePath.includes('\uFFFD'))
    return { reason: 'unreadable', detail: 'its name is not UTF-8' };
  if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: 'vanished', detail: 'it went away while being read' };
  if (code === 'ELOOP') return { reason: 'vanished', detail: 'a link took its place while it was being read' };
  return { reason: 'unreadable', detail: messageOf(error) };
}
