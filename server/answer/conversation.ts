import type { Turn } from '../contract/answers.js';
import type { ChatMessage } from '../model/chat-template.js';

/** Turns as chat messages. */
export function messagesOf(turns: readonly Turn[]): ChatMessage[] {
  return turns.flatMap(({ question, answer }): ChatMessage[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ]);
}

/**
 * The newest turns that fit: whole turns, the oldest leave first.
 *
 * @param tokens how many tokens the prompt of these turns and the new question takes
 * @param limit tokens that prompt may take
 */
export function fitHistory(
  turns: readonly Turn[],
  tokens: (turns: readonly Turn[]) => number,
  limit: number,
): { readonly kept: readonly Turn[]; readonly dropped: number } {
  for (let dropped = 0; dropped < turns.length; dropped++) {
    const kept = turns.slice(dropped);
    if (tokens(kept) <= limit) return { kept, dropped };
  }
  return { kept: [], dropped: turns.length };
}

/** A conversation about one memory. */
export class Conversation {
  private readonly past: Turn[] = [];

  get turns(): readonly Turn[] {
    return this.past;
  }

  add(turn: Turn): void {
    this.past.push(turn);
  }

  clear(): void {
    this.past.length = 0;
  }
}
