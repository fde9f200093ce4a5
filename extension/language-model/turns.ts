import type { RootUri, Turn } from '../../server/contract/protocol.js';

/** Turns that are handed on; the sidecar takes of them what fits. */
const mostTurns = 20;

/** A message of a chat, by whom it is. */
export interface ChatText {
  readonly by: 'user' | 'assistant';
  readonly text: string;
}

/**
 * The last question of a chat, and the turns before it. A question is what users say in a row: chats put what they attach
 * into messages of its own, before the question. Undefined when the chat does not end with a question.
 */
export function lastQuestion(
  messages: readonly ChatText[],
): { readonly question: string; readonly history: readonly Turn[] } | undefined {
  const history: Turn[] = [];
  let question = '';
  for (const { by, text } of messages) {
    if (text.trim() === '') continue;
    if (by === 'user') {
      question = text.trim();
    } else if (question !== '') {
      history.push({ question, answer: text.trim() });
      question = '';
    }
  }
  return question === '' ? undefined : { question, history: history.slice(-mostTurns) };
}

/** What the chat participant leaves in the chat's history about an answer. */
export interface AnswerRecord {
  readonly root: RootUri;
  readonly question: string;
  readonly answer: string;
  readonly deep: boolean;
  /** Names of the definitions that the links lead to, best first. */
  readonly names: readonly string[];
}

/** Reads what the participant left; undefined for anything else. */
export function readAnswerRecord(metadata: unknown): AnswerRecord | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(metadata));
  const [root, question, answer, deep] = ['root', 'question', 'answer', 'deep'].map((name) => fields.get(name));
  const names: unknown = fields.get('names');
  if (typeof root !== 'string' || typeof question !== 'string' || typeof answer !== 'string') return undefined;
  if (typeof deep !== 'boolean' || !Array.isArray(names)) return undefined;
  return { root, question, answer, deep, names: names.filter((name) => typeof name === 'string') };
}

/** The answered questions to a root, oldest first. */
export function turnsOf(records: readonly (AnswerRecord | undefined)[], root: RootUri): Turn[] {
  return records
    .filter((record) => record !== undefined)
    .filter((record) => record.root === root && record.answer.trim() !== '')
    .map(({ question, answer }) => ({ question, answer }))
    .slice(-mostTurns);
}

/** A question that one may ask next. */
export interface NextQuestion {
  readonly question: string;
  readonly deep: boolean;
}

/**
 * What one may ask after an answer: the same with the repository read again, unless that was done; what a definition
 * does that the links lead to and that was not asked about.
 */
export function nextQuestions({ question, deep, names }: AnswerRecord): NextQuestion[] {
  const next = names.find((name) => !question.includes(name) && !name.includes('`'));
  return [
    ...(next === undefined ? [] : [{ question: `What does \`${next}\` do?`, deep: false }]),
    ...(deep ? [] : [{ question, deep: true }]),
  ];
}
