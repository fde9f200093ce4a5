import type { ReadProgress } from '../contract/roots.js';

/** What a caller wants to hear of one operation, and how it ends it. */
export interface MemoryHooks {
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  /** Called while the repository's files are found, with how many were looked at. */
  readonly onFile?: ((filesSeen: number) => void) | undefined;
  /** Called with what the user should know, as soon as it is known. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tells the user something. */
export type Tell = (notice: string) => void;

/** Tells everything once: a snapshot that cannot be used is looked at again once the lock is held. */
export function tellOnce({ onNotice }: MemoryHooks): Tell {
  const told = new Set<string>();
  return (notice) => {
    if (!told.has(notice)) onNotice?.(notice);
    told.add(notice);
  };
}
