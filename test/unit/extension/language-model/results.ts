import type { AskResult } from '../../../../server/contract/protocol.js';

/** An answer as the sidecar gives it, with what a test is about. */
export function resultWith(changes: Partial<AskResult>): AskResult {
  return {
    mode: 'memory',
    text: 'It is in `src/a.ts`.',
    citations: [{ path: 'src/a.ts', line: 12, endLine: 20, name: 'first', from: 'recall' }],
    coverage: { filesRead: 412, tokensRead: 90_000, skipped: 8, changed: 0 },
    recalled: [],
    timings: {
      recallSeconds: 0.1,
      firstTokenSeconds: 0.2,
      totalSeconds: 1,
      promptTokens: 100,
      answerTokens: 20,
      tokensPerSecond: 40,
    },
    memory: {
      model: 'nano',
      source: 'read',
      seconds: 3,
      tokensRead: 90_000,
      units: 1024,
      cacheBytes: 6_000_000,
      weightBytes: 12_000_000,
      policy: 'locret',
      precision: 'float32',
    },
    end: 'stop-token',
    notices: [],
    ...changes,
  };
}
