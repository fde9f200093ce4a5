import type { AnswerEnd } from '../contract/words.js';
import type { Coverage } from '../memory/contents/memory.js';

/** Changed files that are named one by one. */
const namedChanges = 5;
/** Places that an answer makes up and that are named one by one. */
const namedPlaces = 3;

/** What is to be said about how the answer ended. */
export function answerNotices(answer: { readonly text: string; readonly end: AnswerEnd }): string[] {
  const notices: string[] = [];
  if (answer.text === '') notices.push('The model gave no answer in words; the links do not come from it.');
  if (answer.end === 'token-limit') notices.push('The answer was cut at its limit of tokens.');
  if (answer.end === 'repetition') notices.push('The answer began to repeat itself and was ended.');
  if (answer.end === 'capacity') notices.push('The answer was cut because the cache is full.');
  return notices;
}

/**
 * Which links failed the check.
 * @param unfounded places that the answer's own words name and that are not in the repository
 * @param dropped links from elsewhere that did not hold
 */
export function linkNotices(unfounded: readonly string[], dropped: number): string[] {
  const notices: string[] = [];
  if (unfounded.length > 0) {
    const shown = unfounded.slice(0, namedPlaces).join(', ');
    const more = unfounded.length > namedPlaces ? `, and ${unfounded.length - namedPlaces} more` : '';
    notices.push(`The answer names what is not in this repository: ${shown}${more}.`);
  }
  if (dropped > 0)
    notices.push(
      dropped === 1 ? '1 link did not hold and was dropped.' : `${dropped} links did not hold and were dropped.`,
    );
  return notices;
}

/** Which files changed since the repository was read. */
export function changeNotices({ changed }: Coverage): string[] {
  if (changed.length === 0) return [];
  const shown = changed.slice(0, namedChanges).map(({ path, change }) => `${path} (${change})`);
  const more = changed.length > shown.length ? `, and ${changed.length - shown.length} more` : '';
  const files = changed.length === 1 ? '1 file has' : `${changed.length} files have`;
  return [`${files} changed since the repository was read: ${shown.join(', ')}${more}.`];
}
