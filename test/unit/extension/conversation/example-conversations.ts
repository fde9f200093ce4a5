import type { AnswerFacts, Conversation, RootAnswer, Turn } from '../../../../extension/conversation/conversation.js';

export const orchard = { uri: 'file:///code/orchard', name: 'orchard' };
export const api = { uri: 'file:///code/api', name: 'api' };

export function factsWith(changes: Partial<AnswerFacts> = {}): AnswerFacts {
  return {
    citations: [{ path: 'src/ledger.ts', line: 8, endLine: 19, name: 'openLedger', from: 'recall' }],
    coverage: { filesRead: 412, tokensRead: 1_204_000, skipped: 8, changed: 2 },
    recalled: [
      { path: 'src/ledger.ts', line: 8, endLine: 19, name: 'openLedger', reason: 'name', tokens: 120, cut: 0 },
      { path: 'src/store.ts', line: 1, endLine: 4, reason: 'path', tokens: 40, cut: 3 },
    ],
    timings: {
      recallSeconds: 0.1,
      firstTokenSeconds: 0.4,
      totalSeconds: 2.1,
      promptTokens: 310,
      answerTokens: 48,
      tokensPerSecond: 32,
    },
    memory: {
      model: 'nano',
      source: 'read',
      seconds: 12,
      tokensRead: 1_204_000,
      units: 256,
      cacheBytes: 6_400_000,
      weightBytes: 12_000_000,
      policy: 'locret',
      precision: 'float32',
    },
    notices: [],
    ...changes,
  };
}

export function answered(text: string, changes: Partial<AnswerFacts> = {}, root = orchard): RootAnswer {
  return { root, text, state: 'answered', facts: factsWith(changes) };
}

export function turnOf(question: string, ...answers: readonly RootAnswer[]): Turn {
  return { id: `id-of-${question.length}`, question, mode: 'memory', asked: Date.UTC(2026, 10, 24), answers };
}

export function conversationOf(...turns: readonly Turn[]): Conversation {
  return { id: 'c0ffee', created: Date.UTC(2026, 10, 24), changed: Date.UTC(2026, 10, 25), turns };
}
