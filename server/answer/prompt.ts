import type { Turn } from '../contract/answers.js';
import { LocretError } from '../errors.js';
import type { ChatMessage } from '../model/chat-template.js';
import type { ModelTokenizer } from '../model/tokenizer.js';
import { defaultMaxTokens } from './generation.js';
import { fitHistory, messagesOf } from './conversation.js';

/** How the cache units behind the memory are shared out for one question. All in tokens. */
export interface PromptPlan {
  /** Earlier turns that fit, oldest first. */
  readonly history: readonly Turn[];
  /** Text of history and question, as it follows the recall blocks. */
  readonly conversation: string;
  readonly recallTokens: number;
  /** All that is left for what stands before the conversation; recall may take a part of it. */
  readonly leftTokens: number;
  readonly answerTokens: number;
  readonly notices: readonly string[];
}

/** An answer must have room for at least this many tokens (or for the limit asked for). */
const leastAnswer = 32;

/** Recall without a setting: an eighth of the window, within these bounds. */
const automaticRecall = { share: 1 / 8, least: 512, most: 2048 };

/** Text that follows the recall blocks for a conversation. */
export type ConversationText = (messages: readonly ChatMessage[]) => string;

/**
 * Tokens of a question as the last thing of the prompt.
 *
 * @param room cache units behind the memory
 * @throws LocretError question-too-long with the numbers, when no answer would fit behind it
 */
export function questionFits(
  tokenizer: ModelTokenizer,
  after: ConversationText,
  question: string,
  room: number,
  maxTokens = defaultMaxTokens,
): number {
  const tokens = tokenizer.encode(after([{ role: 'user', content: tokenizer.neutralize(question) }])).length;
  const least = Math.min(maxTokens, leastAnswer);
  if (tokens + least <= room) return tokens;
  throw new LocretError(
    'question-too-long',
    `The question takes ${tokens} tokens; behind the memory there is room for ${Math.max(0, room)}, of which the answer ` +
      `needs at least ${least}.`,
    'Ask a shorter question, or give the memory a smaller budget (--budget), which leaves more room.',
  );
}

/**
 * Shares out the room behind the memory. The question comes first and is never cut; then the answer (up to half of what
 * is left, where room is short), the earlier turns (up to half of what is left then), and recall.
 *
 * @param input.room cache units between the memory and the capacity (or the model's window, where that is smaller)
 * @param input.after text that follows the recall blocks for a conversation
 * @param input.recallTokens undefined: chosen from the window
 * @throws LocretError question-too-long with the numbers
 */
export function planPrompt(input: {
  readonly tokenizer: ModelTokenizer;
  readonly after: ConversationText;
  readonly question: string;
  readonly history: readonly Turn[];
  readonly room: number;
  readonly window: number;
  readonly maxTokens: number;
  readonly recallTokens: number | undefined;
}): PromptPlan {
  const { tokenizer, room, window, maxTokens } = input;
  const question: ChatMessage = { role: 'user', content: tokenizer.neutralize(input.question) };
  const textOf = (turns: readonly Turn[]): string => {
    const messages = messagesOf(turns).map(({ role, content }) => ({ role, content: tokenizer.neutralize(content) }));
    return input.after([...messages, question]);
  };
  const tokensOf = (turns: readonly Turn[]): number => tokenizer.encode(textOf(turns)).length;

  const questionTokens = questionFits(tokenizer, input.after, input.question, room, maxTokens);
  const notices: string[] = [];
  let left = room - questionTokens;
  const answerTokens = Math.min(maxTokens, Math.max(Math.min(maxTokens, leastAnswer), left >> 1));
  if (answerTokens < maxTokens) {
    notices.push(`The answer may take ${answerTokens} tokens instead of ${maxTokens}: there is no more room.`);
  }
  left -= answerTokens;
  const { kept, dropped } = fitHistory(input.history, tokensOf, questionTokens + (left >> 1));
  if (dropped > 0) {
    const turns = dropped === 1 ? 'The oldest turn' : `The ${dropped} oldest turns`;
    notices.push(`${turns} of the conversation did not fit and ${dropped === 1 ? 'was' : 'were'} left out.`);
  }
  left -= tokensOf(kept) - questionTokens;
  const { share, least: leastRecall, most } = automaticRecall;
  const wanted = input.recallTokens ?? Math.max(leastRecall, Math.min(most, Math.floor(window * share)));
  const recallTokens = Math.min(wanted, left);
  if (input.recallTokens !== undefined && recallTokens < input.recallTokens) {
    notices.push(`Recall may take ${recallTokens} tokens instead of ${input.recallTokens}: there is no more room.`);
  }
  return { history: kept, conversation: textOf(kept), recallTokens, leftTokens: left, answerTokens, notices };
}
