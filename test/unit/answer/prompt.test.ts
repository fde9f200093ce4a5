import { describe, expect, it } from 'vitest';
import { planPrompt } from '../../../server/answer/prompt.js';
import { characterTokenizer } from './character-tokenizer.js';

const after = (messages: readonly { content: string }[]): string =>
  messages.map(({ content }) => `[${content}]`).join('');

function plan(changes: Partial<Parameters<typeof planPrompt>[0]>) {
  return planPrompt({
    tokenizer: characterTokenizer(),
    after,
    question: 'q'.repeat(98),
    history: [],
    room: 1000,
    window: 100_000,
    maxTokens: 100,
    recallTokens: 500,
    ...changes,
  });
}

describe('sharing out the room behind the memory', () => {
  it('gives everything what it asks for where there is room', () => {
    expect(plan({})).toEqual({
      history: [],
      conversation: `[${'q'.repeat(98)}]`,
      recallTokens: 500,
      leftTokens: 800,
      answerTokens: 100,
      notices: [],
    });
  });

  it('makes recall smaller first, and says so', () => {
    const { recallTokens, answerTokens, notices } = plan({ room: 400 });
    expect({ recallTokens, answerTokens }).toEqual({ recallTokens: 200, answerTokens: 100 });
    expect(notices).toEqual(['Recall may take 200 tokens instead of 500: there is no more room.']);
  });

  it('then the answer, down to 32 tokens, and says so', () => {
    const { recallTokens, answerTokens, notices } = plan({ room: 140, recallTokens: 0 });
    expect({ recallTokens, answerTokens }).toEqual({ recallTokens: 0, answerTokens: 32 });
    expect(notices).toEqual(['The answer may take 32 tokens instead of 100: there is no more room.']);
  });

  it('never the question', () => {
    expect(() => plan({ room: 131 })).toThrow(/takes 100 tokens/);
    expect(plan({ room: 132 }).answerTokens).toBe(32);
    expect(plan({ room: 105, maxTokens: 5 }).answerTokens).toBe(5);
  });

  it('chooses an eighth of the window for recall, between 512 and 2048 tokens', () => {
    const automatic = (window: number): number => plan({ recallTokens: undefined, room: 100_000, window }).recallTokens;
    expect([1000, 8192, 1_000_000].map(automatic)).toEqual([512, 1024, 2048]);
  });

  it('keeps the newest turns that fit into half of what is left', () => {
    const turn = (name: string, length: number) => ({ question: name, answer: 'a'.repeat(length) });
    const { history, notices, recallTokens } = plan({ history: [turn('1', 300), turn('2', 100), turn('3', 100)] });
    expect(history.map(({ question }) => question)).toEqual(['2', '3']);
    expect(notices).toEqual(['The oldest turn of the conversation did not fit and was left out.']);
    expect(recallTokens).toBe(500);
  });

  it('never uses more than the room', () => {
    const history = Array.from({ length: 20 }, (_, i) => ({ question: `${i}`, answer: 'a'.repeat(i * 7) }));
    for (let room = 132; room < 3000; room += 37) {
      const { conversation, recallTokens, answerTokens } = plan({ room, history, recallTokens: undefined });
      expect(conversation.length + recallTokens + answerTokens).toBeLessThanOrEqual(room);
    }
  });
});
