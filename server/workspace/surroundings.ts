import type { OperationQueue } from './operation-queue.js';
import type { ChosenSettings } from './settings.js';
import type { SharedEngine } from './shared-engine.js';

/** What the roots of a workspace share. */
export interface Surroundings {
  readonly engine: SharedEngine;
  readonly queue: OperationQueue;
  readonly settings: () => ChosenSettings;
  /** Whether every change on disk is told by `touch` of the roots. */
  readonly isWatched: () => boolean;
  /** Called whenever the status of a root may have changed. */
  readonly onChange: () => void;
  /** Told what is worth a line in the log. */
  readonly log: (text: string) => void;
  /** Told what the user should know about the memory of a root, which is named, as soon as it is known. */
  readonly onNotice: (root: string, notice: string) => void;
  /** Called while a root's files are found, with how many were looked at. */
  readonly onFile: (filesSeen: number) => void;
}
