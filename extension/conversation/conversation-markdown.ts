import type { Citation } from '../../server/contract/protocol.js';
import { titleOf, type AnswerFacts, type Conversation, type RootAnswer } from './conversation.js';

/**
 * The form of `*.locret.md`. Its words are part of the format, which the grammar and the folding rules of the language
 * `locret-conversation` know: they are the same in every language of the editor.
 */
export const questionHeading = '## Question';
export const answerHeading = '### Answer';

function count(amount: number, one: string): string {
  return `${amount.toLocaleString('en-US')} ${one}${amount === 1 ? '' : 's'}`;
}

/** One line without signs that end it or turn the direction of text. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]+/gu, ' ').trim();
}

const markdownSigns = /[\\`*_[\]<>#|~]/g;

/** Text that Markdown shows as it is. */
function escaped(text: string): string {
  return plainLine(text).replace(markdownSigns, String.raw`\$&`);
}

/** The same, but what stands in backquotes stays code. */
function escapedAroundCode(text: string): string {
  return plainLine(text)
    .split(/(`[^`]+`)/)
    .map((piece, index) => (index % 2 === 1 ? piece : piece.replace(markdownSigns, String.raw`\$&`)))
    .join('');
}

/** A target that needs no brackets: every character that ends or changes a link is percent-encoded. */
function linkTarget(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment.replace(/\p{Cs}/gu, '\uFFFD')).replace(/[()!'*]/g, encodeSign))
    .join('/');
}

function encodeSign(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Text of a question or an answer: lines that would look like the form's own headings are escaped. */
function body(text: string): string {
  return text.trim().replace(/^(?=## Question|### Answer)/gm, '\\');
}

function renderLink(citation: Citation, folder: string): string {
  const { path, line, name } = citation;
  const place = folder + path;
  const label = name === undefined ? '' : ` ${escaped(name)}`;
  return `- [${escaped(place)}:${line}](${linkTarget(place)}#L${line})${label}`;
}

/** `read 412 of 420 files · 8 skipped · 2 changed since · recall 3 definitions` */
function renderCoverage({ coverage, recalled }: AnswerFacts): string {
  const { filesRead, skipped, changed } = coverage;
  return [
    `read ${filesRead.toLocaleString('en-US')} of ${count(filesRead + skipped, 'file')}`,
    `${skipped.toLocaleString('en-US')} skipped`,
    ...(changed === 0 ? [] : [`${changed.toLocaleString('en-US')} changed since`]),
    `recall ${count(recalled.length, 'definition')}`,
  ].join(' · ');
}

function renderOutcome(answer: RootAnswer, folder: string): string[] {
  switch (answer.state) {
    case 'answered':
      if (answer.facts === undefined) return [];
      return [
        ...(answer.facts.citations.length === 0
          ? []
          : [answer.facts.citations.map((citation) => renderLink(citation, folder)).join('\n')]),
        [renderCoverage(answer.facts), ...answer.facts.notices.map((notice) => `note: ${escapedAroundCode(notice)}`)]
          .map((line) => `> ${line}`)
          .join('  \n'),
      ];
    case 'failed':
      return [`> not answered: ${escaped(answer.message)}`];
    case 'stopped':
      return ['> stopped'];
    case 'running':
      return ['> still being answered'];
  }
}

function renderAnswer(answer: RootAnswer, severalRoots: boolean): string[] {
  const heading = severalRoots ? `${answerHeading} from ${escaped(answer.root.name)}` : answerHeading;
  return [
    heading,
    ...(answer.text.trim() === '' ? [] : [body(answer.text)]),
    ...renderOutcome(answer, severalRoots ? `${answer.root.name}/` : ''),
  ];
}

/** The distinct values in the order in which they came. */
function distinct(values: readonly string[]): string[] {
  return [...new Set(values.map(plainLine))];
}

function renderFrontMatter(conversation: Conversation, exported: Date): string {
  const answers = conversation.turns.flatMap((turn) => turn.answers);
  const facts = answers.flatMap((answer) =>
    answer.state === 'answered' && answer.facts !== undefined ? [answer.facts] : [],
  );
  const first = conversation.turns[0]?.asked ?? conversation.created;
  const last = conversation.turns.at(-1)?.asked ?? conversation.created;
  const fields: readonly (readonly [name: string, value: string])[] = [
    ['locret', '1'],
    ['repository', JSON.stringify(distinct(answers.map(({ root }) => root.name)).join(', '))],
    ['model', JSON.stringify(distinct(facts.map(({ memory }) => memory.model)).join(', '))],
    ['first-question', new Date(first).toISOString()],
    ['last-question', new Date(last).toISOString()],
    ['exported', exported.toISOString()],
    ['files-read', String(facts.at(-1)?.coverage.filesRead ?? 0)],
  ];
  return ['---', ...fields.map(([name, value]) => `${name}: ${value}`), '---'].join('\n');
}

/**
 * A conversation as a readable Markdown document. Links are relative to the repository's root; with answers of several
 * roots they begin with the root's name.
 */
export function conversationToMarkdown(conversation: Conversation, exported: Date): string {
  const roots = new Set(conversation.turns.flatMap(({ answers }) => answers.map(({ root }) => root.uri)));
  return (
    [
      renderFrontMatter(conversation, exported),
      `# ${escaped(titleOf(conversation))}`,
      ...conversation.turns.flatMap((turn) => [
        turn.mode === 'deep' ? `${questionHeading} (deep)` : questionHeading,
        body(turn.question),
        ...turn.answers.flatMap((answer) => renderAnswer(answer, roots.size > 1)),
      ]),
    ].join('\n\n') + '\n'
  );
}

/** A name for the document's file, from what the conversation is called. */
export function fileNameOf(conversation: Conversation): string {
  const words = titleOf(conversation)
    .normalize('NFKD')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  const name = (words ?? []).join('-').slice(0, 60).replace(/-+$/, '');
  return `${name === '' ? 'conversation' : name}.locret.md`;
}
