import type { Answer } from '../answer/answer.js';
import { formatAmount, formatBytes, formatCount } from '../quantities.js';

/**
 * Text that a terminal shows and does not obey: without control characters (so without escape sequences) and without
 * the signs that reverse the direction of text. Line ends and tabs stay. Pieces of a stream may be treated one by one.
 */
export function terminalText(text: string): string {
  return text.replace(/[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, (sign) =>
    sign === '\n' || sign === '\t' ? sign : '',
  );
}

/** The same for one line: names of files may contain line ends. */
export function terminalLine(text: string): string {
  return terminalText(text).replace(/[\n\t]+/g, ' ');
}

function seconds(value: number): string {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}

/** The links, one a line, as terminals and editors recognise them: `path:line`, then the name. */
export function renderLinks(answer: Answer): string {
  return answer.citations
    .map(({ path, line, name }) => terminalLine(`${path}:${line}${name === undefined ? '' : `  ${name}`}`))
    .join('\n');
}

/** The one line of facts: what was read, what is kept, how long it took. */
export function renderFacts(answer: Answer): string {
  const { coverage, memory, timings } = answer;
  const how = { read: 'read', snapshot: 'restored', update: 'updated' }[memory.source];
  const order = answer.mode === 'deep' ? ' with the question first' : '';
  return [
    `${formatAmount(coverage.filesRead, 'file')} read, ${formatCount(coverage.skipped.length)} skipped`,
    ...(coverage.changed.length === 0 ? [] : [`${formatAmount(coverage.changed.length, 'file')} changed since`]),
    `${formatAmount(memory.tokensRead, 'token')}, ${formatAmount(memory.units, 'unit')} kept in ${formatBytes(memory.cacheBytes)} of cache`,
    `${how}${order} in ${seconds(memory.seconds)}`,
    `first token after ${seconds(timings.firstTokenSeconds)}`,
  ].join(' · ');
}

/** Notices, one a line. */
export function renderNotices(answer: Answer): string {
  return answer.notices.map((notice) => `! ${terminalLine(notice)}`).join('\n');
}

/** What follows an answer's text: links, notices, facts; parts that are empty are left out. */
export function renderAfterText(answer: Answer): string {
  return (
    [renderLinks(answer), renderNotices(answer), renderFacts(answer)].filter((part) => part !== '').join('\n\n') + '\n'
  );
}

/** A whole answer for the terminal. */
export function renderAnswer(answer: Answer): string {
  const text = terminalText(answer.text);
  return (text === '' ? '' : `${text}\n\n`) + renderAfterText(answer);
}

/** The one object of `--json`. Lines are 1-based; times in seconds. */
export function answerToJson(answer: Answer): Record<string, unknown> {
  const { text, ...rest } = answer;
  return { answer: text, ...rest };
}
