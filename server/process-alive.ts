import { systemErrorCode } from './errors.js';

/** Whether a process of this machine runs, whoever's it is. */
export function isProcessAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
