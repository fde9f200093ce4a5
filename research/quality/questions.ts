import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type RandomSource, seededRandom } from '../../server/engine/random.js';
import type { RepositoryMemory } from '../../server/memory/contents/memory.js';
import type { Definition } from '../../server/repository/source.js';

export type QuestionKind = 'where' | 'parameters' | 'constant' | 'documentation' | 'base class' | 'not there';

/** A question whose answer stands in the repository, or does not. */
export interface BenchQuestion {
  /** The same in every run over the same repository. */
  readonly id: string;
  readonly kind: QuestionKind;
  readonly text: string;
  /** The right answer as the bundled model's training words it. */
  readonly answer: string;
  /** What an answer must end with, quotes and full stop aside, to be right; none: it must be the answer. */
  readonly ending: string | undefined;
  /** Lines that the answer rests on, 1-based; none when it is not there. */
  readonly gold: { readonly path: string; readonly lines: readonly number[]; readonly header: boolean } | undefined;
}

/** {x}: the quoted name. The forms of training/rows/base/questions.py. */
const forms: Readonly<Record<QuestionKind, readonly string[]>> = {
  where: ['Where is {x} defined?', 'Which file defines {x}?', 'Find the definition of {x}.', 'In which file is {x}?'],
  parameters: ['What are the parameters of {x}?', 'What is the signature of {x}?', 'Which arguments does {x} take?'],
  constant: ['What is the value of {x}?', 'What is {x} set to?'],
  documentation: ['What does {x} do?', 'What is {x} for?', 'Describe {x}.'],
  'base class': ['What is the base class of {x}?', 'What does {x} extend?'],
  'not there': ['Where is {x} defined?', 'What are the parameters of {x}?', 'What does {x} do?'],
};

const literal = /^(?:-?\d[\d_.]*|true|false|null|(['"`])[^'"`\n]{1,40}\1)$/;
const longest = 80;

/** The first sentence of the comment above or in a definition, with its line; undefined where there is none. */
function firstSentence(
  lines: readonly string[],
  { line, nameLine }: Definition,
): { text: string; line: number } | undefined {
  for (let at = line; at < nameLine; at++) {
    const text = (lines[at - 1] ?? '')
      .replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/|#)\s?/, '')
      .replace('*/', '')
      .trim();
    if (text === '') continue;
    if (/copyright|license|eslint|ts-ignore|@/i.test(text)) return undefined;
    const [, sentence] = /^(.{8,110}?[.!?])(?:\s|$)/.exec(text) ?? [];
    return sentence === undefined ? undefined : { text: sentence, line: at };
  }
  return undefined;
}

/** Something that can be asked about a definition. */
interface Fact {
  readonly kind: QuestionKind;
  readonly answer: string;
  readonly ending: string;
  /** Lines that it rests on. */
  readonly lines: readonly number[];
}

/** What a definition's own line and its comment tell. */
function factsOf(definition: Definition, lines: readonly string[]): Fact[] {
  const { name, kind, path: file, nameLine } = definition;
  const line = lines[nameLine - 1] ?? '';
  const escaped = name.replaceAll(/[$]/g, '\\$&');
  const facts: Fact[] = [
    { kind: 'where', answer: `\`${name}\` is defined in \`${file}\`.`, ending: file, lines: [nameLine] },
  ];
  const parameters = new RegExp(`\\b${escaped}(?:<[^<>()]*>)?\\(([^()]*)\\)`).exec(line)?.[1]?.trim();
  if ((kind === 'function' || kind === 'method') && parameters !== undefined && parameters.length <= longest) {
    const signature = `${name}(${parameters})`;
    facts.push({ kind: 'parameters', answer: `\`${signature}\``, ending: signature, lines: [nameLine] });
  }
  const value = new RegExp(`\\b${escaped}(?:\\s*:\\s*[\\w.[\\]<>| ]+)?\\s*=\\s*(.+?)(?:\\s+as const)?;?\\s*$`).exec(
    line,
  )?.[1];
  if ((kind === 'constant' || kind === 'variable') && value !== undefined && literal.test(value))
    facts.push({ kind: 'constant', answer: `\`${name} = ${value}\``, ending: value, lines: [nameLine] });
  const base = /\bextends\s+([A-Za-z_$][\w$.]*)/.exec(line)?.[1];
  if (kind === 'class' && base !== undefined)
    facts.push({ kind: 'base class', answer: `\`class ${name} extends ${base}\``, ending: base, lines: [nameLine] });
  const sentence = firstSentence(lines, definition);
  if (sentence !== undefined) {
    const answer = `\`${name}\`: ${sentence.text}`;
    facts.push({ kind: 'documentation', answer, ending: sentence.text, lines: [sentence.line] });
  }
  return facts;
}

function pick<Item>(items: readonly Item[], random: RandomSource): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** A name made of the words of two others, that no text of the repository holds. */
function absentName(names: readonly string[], text: string, random: RandomSource): string | undefined {
  for (let attempt = 0; attempt < 50; attempt++) {
    const [head = '', tail = ''] = [pick(names, random), pick(names, random)].map((name) => name ?? '');
    const first = head.split(/(?=[A-Z])|_/)[0] ?? '';
    const last = tail.split(/(?=[A-Z])|_/).at(-1) ?? '';
    const made = first + last.charAt(0).toUpperCase() + last.slice(1);
    if (made.length > 5 && /^[a-z]\w*$/i.test(made) && !text.includes(made)) return made;
  }
  return undefined;
}

/**
 * Questions about what a repository defines, made by program from its outline; at most every fifth is about what is not
 * there.
 * Names are asked for that are defined once. With the same repository and seed always the same ones, the first of them
 * being those of a smaller count.
 */
export async function makeQuestions(
  memory: Pick<RepositoryMemory, 'survey' | 'files' | 'definitions'>,
  count: number,
  seed: number,
): Promise<BenchQuestion[]> {
  const random = seededRandom(seed);
  const texts = new Map<string, string>();
  for (const { file } of memory.files)
    texts.set(file.path, await readFile(path.join(memory.survey.root, file.path), 'utf8'));
  const whole = [...texts.values()].join('\n');
  const uses = new Map<string, number>();
  for (const { name } of memory.definitions) uses.set(name, (uses.get(name) ?? 0) + 1);
  const unique = memory.definitions.filter(
    ({ name, kind }) => name.length > 3 && kind !== 'field' && uses.get(name) === 1,
  );
  const names = unique.map(({ name }) => name);
  const pools = new Map<QuestionKind, { definition: Definition; fact: Fact }[]>();
  for (const definition of unique) {
    for (const fact of factsOf(definition, (texts.get(definition.path) ?? '').split('\n')))
      pools.set(fact.kind, [...(pools.get(fact.kind) ?? []), { definition, fact }]);
  }
  const kinds: readonly QuestionKind[] = [
    'where',
    'parameters',
    'documentation',
    'constant',
    'base class',
    'not there',
  ];
  const questions: BenchQuestion[] = [];
  let absent = 0;
  const form = (kind: QuestionKind, name: string): string =>
    (pick(forms[kind], random) ?? '').replace('{x}', () => `\`${name}\``);
  for (let turn = 0; questions.length < count; turn++) {
    const kind = kinds[turn % kinds.length] ?? 'where';
    if (kind === 'not there') {
      if (absent * 5 > questions.length) continue;
      const name = absentName(names, whole, random);
      if (name === undefined) break;
      const answer = `\`${name}\` was not found in this repository.`;
      absent += 1;
      questions.push({
        id: `${kind} ${name}`,
        kind,
        text: form(kind, name),
        answer,
        ending: undefined,
        gold: undefined,
      });
      continue;
    }
    const pool = pools.get(kind) ?? [];
    const [drawn] = pool.splice(Math.floor(random() * pool.length), 1);
    // Kinds that a repository has no more of are left out; where everything is asked, it is all there is.
    if (drawn === undefined) {
      if ([...pools.values()].every((rest) => rest.length === 0)) break;
      continue;
    }
    const { definition, fact } = drawn;
    questions.push({
      id: `${kind} ${definition.path}:${definition.nameLine}`,
      kind,
      text: form(kind, definition.name),
      answer: fact.answer,
      ending: fact.ending,
      gold: { path: definition.path, lines: fact.lines, header: kind === 'where' },
    });
  }
  return questions;
}

/** Whether an answer is right to the last character: quotes, the full stop and a place's line number aside. */
export function isRight({ kind, answer, ending }: BenchQuestion, text: string): boolean {
  const bare = (of: string): string => of.trim().replaceAll('`', '').replace(/\.$/, '');
  if (ending === undefined) return bare(text) === bare(answer);
  const given = kind === 'where' ? bare(text).replace(/:\d+$/, '') : bare(text);
  const wanted = bare(ending);
  const before = given.slice(0, -wanted.length);
  return given.endsWith(wanted) && (before === '' || /[\s:=(]$/.test(before));
}
