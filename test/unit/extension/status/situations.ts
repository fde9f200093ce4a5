import type { MemoryStatus, ReadProgress, RootStatus } from '../../../../server/contract/protocol.js';
import type { Situation } from '../../../../extension/status/status-text.js';

export const progress: ReadProgress = {
  filesRead: 120,
  files: 420,
  tokensRead: 600_000,
  bytesRead: 439,
  bytes: 1000,
  tokensPerSecond: 13_000.4,
  secondsLeft: 20.2,
};

export const memory: MemoryStatus = {
  filesRead: 412,
  tokensRead: 1_234_567,
  skipped: 8,
  changed: 0,
  units: 128,
  budget: 256,
  source: 'read',
  made: 0,
};

export function rootStatus(particulars: Partial<RootStatus> = {}): RootStatus {
  return {
    root: 'file:///code/app',
    name: 'app',
    state: 'idle',
    snapshot: false,
    answering: false,
    notices: [],
    ...particulars,
  };
}

export function situation(roots: readonly RootStatus[], particulars: Partial<Situation> = {}): Situation {
  return {
    life: { state: 'running' },
    status: { model: 'nano', roots },
    hasFolder: true,
    unreadableFolders: [],
    activeRoot: undefined,
    isTrusted: true,
    ...particulars,
  };
}
