import type { Definition } from '../server/repository/source.js';

/** What a question asks for. `absent`: something that is not in the repository. */
export const questionKinds = ['place', 'parameters', 'documentation', 'absent'] as const;
export type QuestionKind = (typeof questionKinds)[number];

/** A question with one right answer. */
export interface LookupQuestion {
  readonly kind: QuestionKind;
  readonly question: string;
  /** Undefined for what is not there. */
  readonly definition?: Definition;
  /** True when an answer's own words are right: everything that was asked for stands in them, to the last character. */
  readonly isRight: (answer: string) => boolean;
}

/** Longer ones are not asked for: they need more room than recall gives. */
const longest = { parameters: 160, sentence: 200 };

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** Whether the text gives the place, and not one whose line only begins with the same digits. */
function givesPlace(text: string, place: string): boolean {
  return text
    .split(place)
    .slice(1)
    .some((rest) => !/^\d/.test(rest));
}

export function placeQuestion(definition: Definition): LookupQuestion {
  const { name, path, line, nameLine } = definition;
  return {
    kind: 'place',
    question: `Where is \`${name}\` defined?`,
    definition,
    isRight: (answer) => [line, nameLine].some((at) => givesPlace(answer, `${path}:${at}`)),
  };
}

/** The text between the brackets behind a name, on one line; undefined where they hold a comment or do not close soon. */
function parametersBehind(text: string, name: string): string | undefined {
  const head = new RegExp(`\\b${name}\\s*(?:=\\s*(?:async\\s*)?)?(?:<[^()]*>)?(?=\\()`).exec(text);
  if (head === null) return undefined;
  const begin = head.index + head[0].length;
  let depth = 0;
  for (let i = begin; i < Math.min(text.length, begin + 2 * longest.parameters); i++) {
    if ('([{'.includes(text.charAt(i))) depth += 1;
    if (')]}'.includes(text.charAt(i))) depth -= 1;
    if (depth > 0) continue;
    const inner = oneLine(text.slice(begin + 1, i)).replace(/,$/, '');
    return inner.length > longest.parameters || /\/[/*]|#/.test(inner) ? undefined : inner;
  }
  return undefined;
}

export function parametersQuestion(definition: Definition, lines: readonly string[]): LookupQuestion | undefined {
  const { name, nameLine } = definition;
  const found = parametersBehind(lines.slice(nameLine - 1, nameLine + 12).join('\n'), name);
  if (found === undefined || found === '') return undefined;
  return {
    kind: 'parameters',
    question: `What are the parameters of \`${name}\`?`,
    definition,
    isRight: (answer) => oneLine(answer).includes(`(${found})`),
  };
}

/** The first sentence of a comment above, or of a docstring below, a definition. */
function firstSentence(definition: Definition, lines: readonly string[]): string | undefined {
  const { line, nameLine, path } = definition;
  const above = lines.slice(line - 1, nameLine - 1).filter((text) => !/^\s*@/.test(text));
  const below = lines.slice(nameLine).join('\n');
  const text = path.endsWith('.py')
    ? /^[^"'#]{0,300}?:\s*r?("""|''')(.*?)\1/s.exec(`${lines[nameLine - 1] ?? ''}\n${below}`)?.[2]
    : above.map((comment) => comment.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/\/?)\s?/, '').replace('*/', '')).join('\n');
  const [paragraph = ''] = (text ?? '').trim().split(/\n\s*(?:\n|@)/);
  const sentence = /^.{8,}?[.!?](?=\s|$)/.exec(oneLine(paragraph))?.[0];
  return sentence === undefined || sentence.length > longest.sentence ? undefined : sentence;
}

export function documentationQuestion(definition: Definition, lines: readonly string[]): LookupQuestion | undefined {
  const sentence = firstSentence(definition, lines);
  if (sentence === undefined) return undefined;
  return {
    kind: 'documentation',
    question: `What does \`${definition.name}\` do?`,
    definition,
    isRight: (answer) => oneLine(answer).includes(sentence),
  };
}

/** A name made of the beginning of one and the end of another, which nothing in the repository is called. */
export function absentQuestion(
  first: Definition,
  second: Definition,
  names: ReadonlySet<string>,
): LookupQuestion | undefined {
  const words = (name: string): string[] => name.split(/(?<=\p{Ll})(?=\p{Lu})|(?<=_)(?=[^_])/u);
  const name = [words(first.name)[0] ?? '', ...words(second.name).slice(1)].join('');
  if (names.has(name) || name.length < 6) return undefined;
  return {
    kind: 'absent',
    question: `Where is \`${name}\` defined?`,
    isRight: (answer) => answer.includes(`\`${name}\` was not found`),
  };
}
