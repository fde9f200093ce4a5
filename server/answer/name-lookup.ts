import type { ChangedFile } from '../contract/contents.js';
import type { DefinitionKind, RecallReason } from '../contract/words.js';
import type { Definition } from '../repository/source.js';
import type { CurrentFiles } from './current-files.js';
import type { NameIndex } from './name-index.js';
import { contentWords, namesInText, type NameCandidate } from './names-in-text.js';

/** What a name in the question stands for: a definition, or a place in a file. */
export interface NamedPlace {
  readonly path: string;
  readonly definition?: Definition;
  /** Line asked for, where the place is a file. */
  readonly line?: number | undefined;
  readonly reason: Exclude<RecallReason, 'attention' | 'selection'>;
  /** The name as the question writes it. */
  readonly name: string;
}

export interface NameLookup {
  /** Best first; all definitions of a name follow each other. */
  readonly places: readonly NamedPlace[];
  /** Names that the question quotes or writes as code, which nothing is called. */
  readonly unknown: readonly string[];
}

/** Least share of a name's words that a question must give to mean it. */
const leastShare = 0.6;

/** A plain word that more definitions than this are called is not meant as a name. */
const commonWord = 4;

/** Similar names that are worth re-reading. */
const maxSimilar = 4;

const kindRank: Readonly<Record<DefinitionKind, number>> = {
  class: 0,
  interface: 0,
  function: 0,
  type: 0,
  enum: 0,
  constant: 0,
  method: 1,
  module: 2,
  variable: 3,
  field: 4,
};

/** True for tests and their fixtures: they use what others define. */
export function isTestPath(path: string): boolean {
  return (
    /(?:^|\/)(?:tests?|__tests__|specs?|testing|fixtures?|mocks?|__mocks__)\//i.test(path) ||
    /(?:^|\/)test_[^/]*$|[._-](?:test|spec)s?\.[^/]*$/i.test(path)
  );
}

function compareNumbers(...pairs: readonly (readonly [number, number])[]): number {
  for (const [a, b] of pairs) if (a !== b) return a - b;
  return 0;
}

/** Real definitions before fields, sources before tests, shallow before deep; then by place, so that it is stable. */
function compareDefinitions(a: Definition, b: Definition): number {
  return (
    compareNumbers(
      [kindRank[a.kind], kindRank[b.kind]],
      [Number(isTestPath(a.path)), Number(isTestPath(b.path))],
      [a.path.split('/').length, b.path.split('/').length],
    ) || (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line)
  );
}

/** `Class.method`, `module::function`, `object->member`, `Class#method` in parts. */
function qualifiedParts(name: string): string[] {
  return name.split(/\.|::|->|#|\//).filter((part) => part !== '');
}

/** Sources only, where there are any besides tests. */
function sourcesFirst(definitions: readonly Definition[]): readonly Definition[] {
  const sources = definitions.filter(({ path }) => !isTestPath(path));
  return sources.length > 0 ? sources : definitions;
}

function sourcePathsFirst(paths: readonly string[]): readonly string[] {
  const sources = paths.filter((path) => !isTestPath(path));
  return sources.length > 0 ? sources : paths;
}

/** The definitions of exactly this name, best first; of `Class.method` those in that class, where there are any. */
export function definitionsNamed(index: NameIndex, name: string): readonly Definition[] {
  const [last = name, container] = qualifiedParts(name).toReversed();
  const whole = index.exact(name);
  const named = whole.length > 0 ? whole : index.exact(last);
  const qualified = named.filter((definition) => container !== undefined && definition.container === container);
  return (qualified.length > 0 ? qualified : named).toSorted(compareDefinitions);
}

/** False for quoted prose and for words that only look like code (`and/or`, `e.g.`): not finding them is no news. */
function isMeantAsName({ text, form, line }: NameCandidate): boolean {
  if (/\s/.test(text)) return false;
  return form === 'quoted' || line !== undefined || /_|\p{Ll}\p{Lu}|::|->|\/.*\.\w+$/u.test(text);
}

class Lookup {
  readonly places: NamedPlace[] = [];
  readonly unknown: string[] = [];
  private readonly seen = new Set<Definition | string>();

  constructor(
    private readonly index: NameIndex,
    private readonly reason: 'earlier-turn' | undefined,
  ) {}

  /** A name that is quoted or written as code. */
  candidate(candidate: NameCandidate): void {
    if (this.file(candidate) || this.definition(candidate.text) || this.similar(candidate.text)) return;
    if (isMeantAsName(candidate)) this.unknown.push(candidate.text);
  }

  /** Names made of the question's words: "retain the top units" is `retainTopUnits`. */
  phrase(words: readonly string[]): void {
    for (const { definition } of this.index.byWords(words, leastShare).slice(0, maxSimilar)) {
      if (kindRank[definition.kind] < kindRank.variable) this.add([definition], 'similar-name', definition.name);
    }
    for (const path of sourcePathsFirst(this.index.pathsByWords(words)).slice(0, maxSimilar)) {
      this.addFile(path, undefined, path, 'similar-name');
    }
  }

  /** @param sure the word must be meant as a name: it is capitalized, or all that the question is about */
  word(text: string, sure: boolean): void {
    const meant = (definitions: readonly Definition[]): readonly Definition[] => {
      const real = sourcesFirst(definitions.filter(({ kind }) => kindRank[kind] < kindRank.variable));
      return sure ? real : real.filter(({ path }) => !isTestPath(path));
    };
    const exact = meant(this.index.exact(text));
    const found = exact.length > 0 ? exact : meant(this.index.folded(text));
    if (found.length > 0 && found.length <= commonWord) {
      this.add(found, sure && exact.length > 0 ? 'name' : 'similar-name', text);
      return;
    }
    const paths = sourcePathsFirst(this.index.pathsByStemOf(text));
    if (paths.length > commonWord) return;
    for (const path of paths) this.addFile(path, undefined, text, sure ? 'path' : 'similar-name');
  }

  private file(candidate: NameCandidate): boolean {
    const paths = this.index.paths(candidate.text);
    for (const path of paths.slice(0, maxSimilar)) this.addFile(path, candidate.line, candidate.text, 'path');
    return paths.length > 0;
  }

  private definition(name: string): boolean {
    const exact = definitionsNamed(this.index, name);
    if (exact.length > 0) return this.add(exact, 'name', name);
    const [last = name, container] = qualifiedParts(name).toReversed();
    const folded = this.index.folded(last);
    if (folded.length > 0) return this.add(folded, 'similar-name', name);
    // `settings.budget` of a plain object: what is known is the part before.
    return container !== undefined && this.add(this.index.exact(container), 'similar-name', name);
  }

  private similar(name: string): boolean {
    const words = contentWords(name.replace(/(?<=\p{Ll})(?=\p{Lu})|[_\-./:#]/gu, ' '));
    const found = this.index.byWords(words, leastShare).slice(0, 3);
    return this.add(
      found.map(({ definition }) => definition),
      'similar-name',
      name,
    );
  }

  private add(definitions: readonly Definition[], reason: 'name' | 'similar-name', name: string): boolean {
    for (const definition of definitions.toSorted(compareDefinitions)) {
      if (this.seen.has(definition)) continue;
      this.seen.add(definition);
      this.places.push({ path: definition.path, definition, reason: this.reason ?? reason, name });
    }
    return definitions.length > 0;
  }

  private addFile(path: string, line: number | undefined, name: string, reason: 'path' | 'similar-name'): void {
    const key = `${path}:${line ?? 1}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.places.push({ path, line, reason: this.reason ?? reason, name });
  }
}

/**
 * Looks the names of a question up in the outline. Exact names come before names that differ in case or signs, those
 * before names that are made of words of the question, and those before plain words that something is called; among the definitions of one name, real definitions before fields,
 * sources before tests. A question that surely names nothing ("and what does it return?") is
 * about what the one before named, too.
 */
export function lookUpNames(index: NameIndex, question: string, previousQuestion?: string): NameLookup {
  const lookup = new Lookup(index, undefined);
  lookUpAll(lookup, question);
  const sure = lookup.places.filter((place) => place.reason !== 'similar-name');
  const similar = lookup.places.filter((place) => place.reason === 'similar-name').slice(0, maxSimilar);
  const earlier = new Lookup(index, 'earlier-turn');
  if (sure.length === 0 && previousQuestion !== undefined) lookUpAll(earlier, previousQuestion);
  return { places: [...bySureness([...sure, ...similar]), ...earlier.places], unknown: lookup.unknown };
}

function lookUpAll(lookup: Lookup, question: string): void {
  const names = namesInText(question);
  const content = contentWords(question);
  const words = names.filter((name) => name.form === 'word').map(({ text }) => text);
  const isSure = (word: string): boolean => content.length === 1 || /\p{Lu}/u.test(word);
  for (const candidate of names) if (candidate.form !== 'word') lookup.candidate(candidate);
  for (const word of words) if (isSure(word)) lookup.word(word, true);
  lookup.phrase(content);
  for (const word of words) if (!isSure(word)) lookup.word(word, false);
}

/** Changed files that are outlined anew to find a name. */
const maxChangedFiles = 50;

/**
 * Looks for names that were not known when the repository was read in the files that were modified since. What is found
 * is no longer unknown.
 */
export async function lookUpInChangedFiles(
  files: CurrentFiles,
  lookup: NameLookup,
  changed: readonly ChangedFile[],
): Promise<NameLookup> {
  const wanted = new Set(lookup.unknown);
  const places: NamedPlace[] = [];
  const modified = wanted.size === 0 ? [] : changed.filter(({ change }) => change === 'modified');
  for (const { path } of modified.slice(0, maxChangedFiles)) {
    for (const definition of (await files.read(path))?.definitions ?? []) {
      const name = [...wanted].find((candidate) => qualifiedParts(candidate).at(-1) === definition.name);
      if (name !== undefined) places.push({ path, definition, reason: 'name', name });
    }
  }
  const found = new Set(places.map(({ name }) => name));
  return { places: [...places, ...lookup.places], unknown: lookup.unknown.filter((name) => !found.has(name)) };
}

const reasonRank: Readonly<Record<NamedPlace['reason'], number>> = {
  name: 0,
  path: 0,
  'similar-name': 1,
  'earlier-turn': 2,
};

/**
 * The surest first. Where a question names several things, they say something about each other: a definition in a file,
 * or of a class, that is named too is meant before others of its name, and before that file's beginning.
 */
function bySureness(places: readonly NamedPlace[]): NamedPlace[] {
  const names = new Set(places.map((place) => place.name));
  const paths = new Set(places.filter((place) => place.definition === undefined).map((place) => place.path));
  const defined = new Set(places.filter((place) => place.definition !== undefined).map((place) => place.path));
  const rank = (place: NamedPlace): number => {
    const { definition, path, reason } = place;
    if (definition === undefined) return reasonRank[reason] + (defined.has(path) ? 0.5 : 0);
    const confirmed = paths.has(path) || (definition.container !== undefined && names.has(definition.container));
    return reasonRank[reason] - (confirmed ? 0.5 : 0);
  };
  return places.toSorted((a, b) => rank(a) - rank(b));
}
