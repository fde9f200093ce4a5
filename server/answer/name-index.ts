import type { RepositoryMemory } from '../memory/contents/memory.js';
import type { Definition } from '../repository/source.js';

/** Lower case, without the signs that conventions differ in: `retain_top-units` and `retainTopUnits` are the same. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** The words a name is made of, lower-cased and without endings: `readingChunks` → `read`, `chunk`. */
export function wordsOfName(name: string): string[] {
  return (name.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|\p{Lu}/gu) ?? []).map((word) => stem(word.toLowerCase()));
}

/** Takes the commonest English endings off, so that `retaining` finds `retain` and `snapshots` `snapshot`. */
export function stem(word: string): string {
  if (word.length > 5 && word.endsWith('ing')) return undouble(word.slice(0, -3));
  if (word.length > 4 && word.endsWith('ies')) return word.slice(0, -3) + 'y';
  if (word.length > 4 && word.endsWith('ed')) return undouble(word.slice(0, -2));
  if (word.length > 3 && word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) return withoutE(word.slice(0, -1));
  return withoutE(word);
}

function undouble(word: string): string {
  return /([^aeiouls])\1$/.test(word) ? word.slice(0, -1) : withoutE(word);
}

function withoutE(word: string): string {
  return word.length > 4 && word.endsWith('e') ? word.slice(0, -1) : word;
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The words of a file's name without its extensions. */
function wordsOfStem(path: string): string[] {
  return wordsOfName(path.slice(path.lastIndexOf('/') + 1).replace(/(?<=.)\..*$/, ''));
}

/** The outline of a repository, by name. Built once per memory. */
export class NameIndex {
  private static readonly built = new WeakMap<readonly Definition[], NameIndex>();

  private readonly byName = new Map<string, Definition[]>();
  private readonly byFolded = new Map<string, Definition[]>();
  private readonly byWord = new Map<string, Definition[]>();
  private readonly pathsByBase = new Map<string, string[]>();
  private readonly pathsByStem = new Map<string, string[]>();
  private readonly pathsByStemWord = new Map<string, string[]>();

  private constructor(
    paths: readonly string[],
    private readonly definitions: readonly Definition[],
  ) {
    for (const path of paths) {
      const base = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
      append(this.pathsByBase, base, path);
      append(this.pathsByStem, base.replace(/(?<=.)\..*$/, ''), path);
      const words = wordsOfStem(path);
      if (words.length >= 2) for (const word of new Set(words)) append(this.pathsByStemWord, word, path);
    }
    for (const definition of definitions) {
      append(this.byName, definition.name, definition);
      append(this.byFolded, foldName(definition.name), definition);
      for (const word of new Set(wordsOfName(definition.name))) append(this.byWord, word, definition);
    }
  }

  static of(memory: Pick<RepositoryMemory, 'survey' | 'definitions'>): NameIndex {
    let index = NameIndex.built.get(memory.definitions);
    if (index === undefined) {
      const paths = memory.survey.files.map((file) => file.path);
      index = new NameIndex(paths, memory.definitions);
      NameIndex.built.set(memory.definitions, index);
    }
    return index;
  }

  exact(name: string): readonly Definition[] {
    return this.byName.get(name) ?? [];
  }

  /** Equal but for case and `_ - $`. */
  folded(name: string): readonly Definition[] {
    const folded = foldName(name);
    return folded === '' ? [] : (this.byFolded.get(folded) ?? []);
  }

  /** Files whose path is, or ends with, this path; case counts only where it decides between several. */
  paths(path: string): readonly string[] {
    const wanted = path.toLowerCase();
    const candidates = this.pathsByBase.get(wanted.slice(wanted.lastIndexOf('/') + 1)) ?? [];
    const found = candidates.filter((candidate) => ('/' + candidate.toLowerCase()).endsWith('/' + wanted));
    const sameCase = found.filter((candidate) => ('/' + candidate).endsWith('/' + path));
    return sameCase.length > 0 ? sameCase : found;
  }

  /** Files called so, without their extension. */
  pathsByStemOf(name: string): readonly string[] {
    return this.pathsByStem.get(name.toLowerCase()) ?? [];
  }

  /** Files whose names, of two words or more, are made of the question's words. */
  pathsByWords(words: readonly string[]): readonly string[] {
    const wanted = new Set(words.map(stem));
    const candidates = new Set([...wanted].flatMap((word) => this.pathsByStemWord.get(word) ?? []));
    return [...candidates].filter((path) => wordsOfStem(path).every((word) => wanted.has(word)));
  }

  /**
   * Definitions whose names are made of words of the question: at least two of them (or the whole of a one-word query),
   * and so many that they carry `least` of what the name says. A word says the more the fewer names have it (inverse
   * document frequency). Best first.
   */
  byWords(words: readonly string[], least: number): { definition: Definition; share: number }[] {
    const wanted = new Set(words.map(stem));
    const matched = new Map<Definition, number>();
    for (const word of wanted) {
      for (const definition of this.byWord.get(word) ?? []) {
        matched.set(definition, (matched.get(definition) ?? 0) + this.weight(word));
      }
    }
    const found: { definition: Definition; share: number }[] = [];
    for (const [definition, weight] of matched) {
      const own = [...new Set(wordsOfName(definition.name))];
      if (own.filter((word) => wanted.has(word)).length < 2) continue;
      const share = weight / own.reduce((sum, word) => sum + this.weight(word), 0);
      if (share >= least) found.push({ definition, share });
    }
    return found.sort((a, b) => b.share - a.share);
  }

  private weight(word: string): number {
    return Math.log(1 + this.definitions.length / (this.byWord.get(word)?.length ?? 1));
  }
}
