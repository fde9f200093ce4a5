import type { Definition } from '../repository/source.js';

/** What can be asked about a definition. */
export type FactKind = 'where' | 'signature' | 'documentation' | 'undocumented' | 'constant' | 'base' | 'methods';

/** Something that a source text says about a definition. */
export interface Fact {
  readonly kind: FactKind;
  /** The definition's name. */
  readonly subject: string;
  /** The word for what it is. */
  readonly word: string;
  readonly path: string;
  /** What the text says, as it stands there. */
  readonly value: string;
  /** The lines that must be seen to know it, 1-based: from the definition's beginning to what the answer rests on. */
  readonly begin: number;
  readonly end: number;
}

const longest = { parameters: 120, constant: 60, sentence: 100 };
const leastSentence = 10;
const mostMethods = 6;
const functions: ReadonlySet<string> = new Set(['function', 'method']);
const withPlace: ReadonlySet<string> = new Set([
  ...functions,
  'class',
  'interface',
  'type',
  'enum',
  'constant',
  'variable',
]);
const comment = /^\s*(?:\/\*\*?|\*|\/\/[/!]?|#)\s?(.*?)\s*(?:\*\/)?\s*$/;
const literal = /^(?:-?\d[\w.]*|true|false|True|False|None|null|"[^"\\]*"|'[^'\\]*')$/;

/** Where a name stands in a line, and not as a part of another; -1 if it does not. */
function placeOfName(line: string, name: string): number {
  const isPart = (character: string | undefined): boolean => character !== undefined && /[\w$]/.test(character);
  for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + 1))
    if (!isPart(line[at - 1]) && !isPart(line[at + name.length])) return at;
  return -1;
}

/** `name(a, b)` where the parentheses behind the name close on the same line. */
export function signatureIn(line: string, name: string): string | undefined {
  const at = placeOfName(line, name);
  if (at < 0 || line[at + name.length] !== '(') return undefined;
  let depth = 0;
  for (let end = at + name.length; end < line.length; end++) {
    if (line[end] === '(') depth += 1;
    if (line[end] === ')') depth -= 1;
    if (depth > 0) continue;
    const signature = line.slice(at, end + 1);
    return signature.length <= name.length + longest.parameters ? signature : undefined;
  }
  return undefined;
}

/** The first sentence of a line, if it is one to quote. */
export function firstSentence(text: string): string | undefined {
  const sentence = /^.*?[.!?](?=\s|$)/.exec(text.trim())?.[0] ?? text.trim();
  const isGood = sentence.length >= leastSentence && sentence.length <= longest.sentence && /^\p{L}/u.test(sentence);
  return isGood ? sentence : undefined;
}

/** First sentence of the comment that leads to a definition, or of the docstring that follows its head. */
function documentation(definition: Definition, lines: readonly string[]): { value: string; line: number } | undefined {
  for (let line = definition.line; line < definition.nameLine; line++) {
    const text = comment.exec(lines[line - 1] ?? '')?.[1] ?? '';
    const value = firstSentence(text);
    if (value !== undefined) return { value, line: definition.nameLine };
  }
  const body = /^\s*[rRuU]?("""|''')\s*(.*?)\s*(?:\1)?\s*$/.exec(lines[definition.nameLine] ?? '');
  const value = body === null ? undefined : firstSentence(body[2] ?? '');
  return value === undefined ? undefined : { value, line: definition.nameLine + 1 };
}

/** `NAME = 10` as it stands in the line. */
export function constantIn(line: string, name: string): string | undefined {
  const at = placeOfName(line, name);
  const match = /^[\w$]+(?:\s*:[^=]*)?\s*=\s*(.*?)[;,]?\s*(?:(?:#|\/\/).*)?$/.exec(line.slice(at));
  const value = match?.[1];
  if (at < 0 || value === undefined || !literal.test(value)) return undefined;
  const end = line.indexOf(value, at + name.length) + value.length;
  return end - at <= longest.constant + name.length ? line.slice(at, end) : undefined;
}

function baseIn(line: string, name: string): string | undefined {
  const head = `class ${name}`;
  const at = line.indexOf(head);
  const rest = at < 0 ? '' : line.slice(at + head.length);
  const behind = /^\([\w.]+\)|^(?:<[^<>]*>)?\s+extends\s+[\w$.]+/.exec(rest)?.[0];
  return behind === undefined ? undefined : head + behind;
}

/**
 * What a file's text says about its definitions; each value is one piece of the text, so that an answer quotes it.
 * @param definitions the file's outline
 * @param lines the file's lines, index 0 is line 1
 */
export function factsOf(definitions: readonly Definition[], lines: readonly string[]): Fact[] {
  return definitions.flatMap((definition) => {
    const { name, kind, path, nameLine, endLine } = definition;
    if (!withPlace.has(kind) || name.startsWith('__') || name === 'constructor') return [];
    const facts: Fact[] = [];
    const add = (of: FactKind, value: string | undefined, end = nameLine): void => {
      if (value !== undefined && value !== '')
        facts.push({ kind: of, subject: name, word: kind, path, value, begin: definition.line, end });
    };
    const head = lines[nameLine - 1] ?? '';
    add('where', path);
    const signature = functions.has(kind) ? signatureIn(head, name) : undefined;
    add('signature', signature);
    if (kind === 'constant' || kind === 'variable') add('constant', constantIn(head, name));
    if (kind === 'class') {
      add('base', baseIn(head, name));
      const methods = definitions.filter((one) => one.kind === 'method' && one.container === name);
      const names = methods.map((method) => method.name).filter((method) => !method.startsWith('__'));
      if (names.length > 0 && names.length <= mostMethods) {
        add('methods', names.map((method) => `\`${method}\``).join(', '), methods.at(-1)?.nameLine);
      }
    }
    const documented = documentation(definition, lines);
    if (documented !== undefined) {
      const isPython = /^\s*(?:async )?(?:def|class) /.test(head);
      add('documentation', `\`${isPython ? (signature ?? name) : name}\`: ${documented.value}`, documented.line);
    } else if (functions.has(kind) && !lines.slice(definition.line - 1, endLine).some((line) => comment.test(line))) {
      add('undocumented', path, endLine);
    }
    return facts;
  });
}
