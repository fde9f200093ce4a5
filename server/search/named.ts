import type { LineKind } from './line-languages/pattern.js';
import type { PassageIndex } from './passage-index.js';
import { stemOf } from './path-kind.js';
import { qualifiedParts, type Query, type QueryName } from './query.js';
import type { IndexedDefinition } from './segment.js';
import { nearestWords } from './spelling.js';
import { foldName, partsOf, stem } from './words.js';

/** How a name of a query was understood. */
export type Match = 'exact' | 'folded' | 'phrase' | 'parts' | 'misspelt';

/** A definition that a query names. */
export interface NamedDefinition {
  readonly definition: IndexedDefinition;
  /** Between 0 and 1: how surely it is meant. */
  readonly sureness: number;
  readonly match: Match;
  /** As the query writes it. */
  readonly name: string;
}

/** A file or folder that a query names. */
export interface NamedPath {
  /** Files: one, or what is in a folder, what tells of it first. */
  readonly files: readonly number[];
  readonly folder: string | undefined;
  readonly line: number | undefined;
  readonly sureness: number;
  readonly name: string;
}

/** Everything that a query names. */
export interface Named {
  readonly definitions: readonly NamedDefinition[];
  readonly paths: readonly NamedPath[];
  /** Names that stand in a text, though nothing is called so: words as they are written. */
  readonly mentioned: readonly { readonly name: QueryName; readonly words: readonly number[] }[];
}

const sureOfForm = { quoted: 1, code: 1, word: 0.7 } as const;
const sureOfMatch: Readonly<Record<Match, number>> = { exact: 1, folded: 0.85, phrase: 1, misspelt: 0.7, parts: 0.5 };
/** Of a name with what it belongs to, where something else is called so. */
const sureOfUnqualified = 0.45;
/** Written otherwise than in the query, where something is called just as it is written there. */
const sureOfOther = 0.5;
/** A phrase that is a small part of a query is hardly meant as a name. */
const leastSureOfPhrase = 0.1;
/** Words of a heading or a name, at most. */
const maxPhraseWords = 10;

const sureOfKind: Readonly<Record<LineKind, number>> = {
  function: 1,
  method: 1,
  class: 1,
  interface: 1,
  type: 1,
  enum: 1,
  table: 1,
  target: 1,
  stage: 1,
  resource: 1,
  selector: 0.95,
  module: 0.9,
  constant: 0.95,
  label: 0.8,
  section: 0.85,
  element: 0.8,
  heading: 0.75,
  key: 0.75,
  field: 0.7,
  variable: 0.75,
  test: 0.45,
  entry: 0.8,
};

/** More definitions of a name are not looked at one by one. */
const maxDefinitions = 400;
/** Files of a folder that are places. */
const maxFolderFiles = 40;

/** How well what the query names before the last part fits a definition: what it stands in, or else its path. */
function qualification(index: PassageIndex, definition: IndexedDefinition, qualifiers: readonly string[]): number {
  const { file } = index.filePassages(index.fileOf(definition.passage));
  const folders = file.path.toLowerCase().split('/');
  const container = definition.container === undefined ? '' : foldName(index.vocabulary.text(definition.container));
  const folded = qualifiers.map(foldName);
  if (folded.includes(container)) return 1.3;
  if (folded.includes(foldName(stemOf(file.path)))) return 1.15;
  return qualifiers.some((qualifier) => folders.includes(qualifier.toLowerCase())) ? 1.05 : 1;
}

/** Whether a word stands in any text. */
function isPosted(index: PassageIndex, word: number): boolean {
  let found = false;
  index.forPassagesWith(word, () => {
    found = true;
  });
  return found;
}

function wordsLike(index: PassageIndex, text: string): number[] {
  const { vocabulary } = index;
  const exact = vocabulary.word(text);
  if (exact !== undefined && isPosted(index, exact)) return [exact];
  const folded = foldName(text);
  const term = vocabulary.term(partsOf(text).length > 1 ? folded : stem(folded));
  if (term === undefined) return [];
  return Array.from(vocabulary.wordsOf(term)).filter(
    (word) => foldName(vocabulary.text(word)) === folded && isPosted(index, word),
  );
}

/**
 * The words of the texts that are a name: as it is written, or else whatever their case and signs; of a name with what it
 * belongs to, its last part. What marks a flag, a style or a variable is no part of it.
 */
export function wordsNamed(index: PassageIndex, name: string): number[] {
  const bare = name.trim().replace(/^(?:--?|[.#@$])(?=[\p{L}_])/u, '');
  const whole = wordsLike(index, bare);
  return whole.length > 0 ? whole : wordsLike(index, qualifiedParts(bare).at(-1) ?? bare);
}

/** Finds what the names of a query stand for. */
export class NameResolver {
  private readonly definitions: NamedDefinition[] = [];
  private readonly paths: NamedPath[] = [];
  private readonly mentioned: { name: QueryName; words: readonly number[] }[] = [];

  constructor(private readonly index: PassageIndex) {}

  resolve(query: Query): Named {
    const covered = this.phrases(query);
    for (const name of query.names) {
      if (name.form === 'word' && covered.has(name.text)) continue;
      const sure = sureOfForm[name.form];
      const hasPath = this.path(name, query, sure);
      if (hasPath && name.text.includes('/')) continue;
      const isDefined = this.named(name, sure, query);
      if (!isDefined) {
        const words = wordsNamed(this.index, name.text);
        if (words.length > 0 || /\s/.test(name.text)) this.mentioned.push({ name, words });
        if (words.length === 0 && !hasPath) {
          this.inParts(name, sure);
          this.misspelt(name, sure);
        }
      }
    }
    return { definitions: this.definitions, paths: this.paths, mentioned: this.mentioned };
  }

  /**
   * Words of the query that follow each other and together are what something is called: a heading, a name written apart.
   *
   * @returns the words of phrases that are most of the query
   */
  private phrases(query: Query): Set<string> {
    const words = query.text.match(/[\p{L}\p{N}_$]+/gu) ?? [];
    const meaningful = Math.max(1, query.words.length);
    const covered = new Set<string>();
    const taken = new Set<number>();
    for (let length = Math.min(maxPhraseWords, words.length); length >= 2; length -= 1) {
      for (let at = 0; at + length <= words.length; at += 1) {
        if (taken.has(at) || taken.has(at + length - 1)) continue;
        const phrase = words.slice(at, at + length);
        const folded = foldName(phrase.join(''));
        const term = this.index.vocabulary.term(folded);
        if (term === undefined) continue;
        const found = Array.from(this.index.vocabulary.wordsOf(term))
          .filter((word) => foldName(this.index.vocabulary.text(word)) === folded)
          .flatMap((word) => this.index.definitionsOf(word));
        if (found.length === 0) continue;
        const share = Math.min(
          1,
          phrase.flatMap(partsOf).filter((part) => query.words.includes(part)).length / meaningful,
        );
        for (const definition of found.slice(0, maxDefinitions)) {
          if (definition.local) continue;
          const sureness = Math.max(leastSureOfPhrase, share ** 2) * sureOfKind[definition.kind];
          this.definitions.push({ definition, sureness, match: 'phrase', name: phrase.join(' ') });
        }
        for (let each = at; each < at + length; each += 1) taken.add(each);
        if (share > 0.5) for (const word of phrase) covered.add(word);
      }
    }
    return covered;
  }

  /** Definitions of words that are written so but for case and signs. */
  private definedLike(text: string): { exact: IndexedDefinition[]; folded: IndexedDefinition[] } {
    const { vocabulary } = this.index;
    const word = vocabulary.word(text);
    const exact = word === undefined ? [] : this.index.definitionsOf(word);
    const folded: IndexedDefinition[] = [];
    const wanted = foldName(text);
    const terms = partsOf(text).length > 1 ? [wanted] : [stem(wanted)];
    for (const text of terms) {
      const term = vocabulary.term(text);
      if (term === undefined) continue;
      for (const like of vocabulary.wordsOf(term)) {
        if (like !== word && foldName(vocabulary.text(like)) === wanted) folded.push(...this.index.definitionsOf(like));
      }
    }
    return { exact, folded };
  }

  private named(name: QueryName, sure: number, query: Query): boolean {
    const whole = name.text.replace(/^(?:--?|[.#@$])(?=[\p{L}_])/u, '');
    const parts = qualifiedParts(whole);
    const last = parts.at(-1) ?? whole;
    const qualifiers = parts.slice(0, -1);
    let found = this.definedLike(whole);
    let isQualified = false;
    if (found.exact.length + found.folded.length === 0 && last !== whole) {
      found = this.definedLike(last);
      isQualified = true;
    }
    const { exact, folded } = found;
    const others = query.names.filter((other) => other !== name).flatMap((other) => qualifiedParts(other.text));
    const add = (definitions: readonly IndexedDefinition[], match: Match): void => {
      const fits = definitions.slice(0, maxDefinitions).map((definition) => ({
        definition,
        own: isQualified ? qualification(this.index, definition, qualifiers) : 1,
      }));
      const best = Math.max(...fits.map(({ own }) => own));
      for (const { definition, own } of fits) {
        const sureness =
          sure *
          (match === 'folded' && exact.length > 0 ? sureOfOther : sureOfMatch[match]) *
          sureOfKind[definition.kind] *
          own *
          (isQualified && (own === 1 || own < best) ? sureOfUnqualified : 1) *
          (others.length > 0 ? qualification(this.index, definition, others) : 1) *
          (definition.local ? 0.6 : 1);
        this.definitions.push({ definition, sureness, match, name: name.text });
      }
    };
    add(exact, 'exact');
    add(folded, 'folded');
    return exact.length + folded.length > 0;
  }

  /** Definitions whose names hold all parts of a name, and a part of them only. */
  private inParts(name: QueryName, sure: number): void {
    const { vocabulary } = this.index;
    const terms = [...new Set(partsOf(name.text).map(stem))];
    const [rarest] = terms
      .map((text) => vocabulary.term(text))
      .map((term) => (term === undefined ? new Uint32Array() : vocabulary.wordsOf(term)))
      .toSorted((a, b) => a.length - b.length);
    if (rarest === undefined || terms.length < 2) return;
    for (const word of rarest) {
      const own = partsOf(vocabulary.text(word)).map(stem);
      if (!terms.every((term) => own.includes(term))) continue;
      for (const definition of this.index.definitionsOf(word)) {
        const share = terms.length / own.length;
        const sureness = sure * sureOfMatch.parts * share * sureOfKind[definition.kind] * (definition.local ? 0.5 : 1);
        this.definitions.push({ definition, sureness, match: 'parts', name: name.text });
      }
    }
  }

  private misspelt(name: QueryName, sure: number): void {
    const { vocabulary } = this.index;
    const last = qualifiedParts(name.text).at(-1) ?? name.text;
    const folded = foldName(last);
    for (const near of nearestWords(folded, this.index.foldedNames())) {
      const term = vocabulary.term(near) ?? vocabulary.term(stem(near));
      const words = term === undefined ? [] : Array.from(vocabulary.wordsOf(term));
      for (const word of words.filter((each) => foldName(vocabulary.text(each)) === near)) {
        for (const definition of this.index.definitionsOf(word)) {
          const sureness = sure * sureOfMatch.misspelt * sureOfKind[definition.kind] * (definition.local ? 0.5 : 1);
          this.definitions.push({ definition, sureness, match: 'misspelt', name: name.text });
        }
      }
    }
  }

  /** A file or a folder of this name. */
  private path(name: QueryName, query: Query, sure: number): boolean {
    const wanted = name.text.toLowerCase().replaceAll('\\', '/').replace(/^\//, '');
    const hasSlash = wanted.includes('/');
    const files: number[] = [];
    const folders = new Map<string, number[]>();
    for (const path of this.index.paths()) {
      const lower = path.toLowerCase();
      const number = this.index.fileNumber(path);
      if (number === undefined) continue;
      if (lower === wanted || lower.endsWith(`/${wanted}`)) files.push(number);
      const at = lower.startsWith(`${wanted}/`) ? 0 : lower.indexOf(`/${wanted}/`) + 1;
      if (at === 0 && !lower.startsWith(`${wanted}/`)) continue;
      const folder = path.slice(0, at + wanted.length);
      const held = folders.get(folder);
      if (held === undefined) folders.set(folder, [number]);
      else held.push(number);
    }
    for (const file of files)
      this.paths.push({ files: [file], folder: undefined, line: name.line, sureness: sure, name: name.text });
    const isFolder = hasSlash || query.asks.folder || name.form === 'quoted';
    if (files.length > 0 || !isFolder) return files.length > 0;
    const [shallowest] = [...folders].toSorted(([a], [b]) => a.split('/').length - b.split('/').length);
    if (shallowest === undefined) return false;
    const [folder, held] = shallowest;
    const sureness = hasSlash || query.asks.folder ? 1.5 * sure : sure;
    this.paths.push({ files: this.foremost(folder, held), folder, line: undefined, sureness, name: name.text });
    return true;
  }

  /** The files of a folder: what tells of it, then what stands in it itself, then what is deeper. */
  private foremost(folder: string, files: readonly number[]): number[] {
    const rank = (number: number): number => {
      const rest = this.index.filePassages(number).file.path.slice(folder.length + 1);
      const depth = rest.split('/').length;
      const tells = /^(?:readme|index|main|mod|lib|__init__)\b/i.test(rest) ? 0 : 1;
      return depth * 2 + tells;
    };
    return files.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxFolderFiles);
  }
}
