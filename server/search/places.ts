import type { CurrentText, CurrentTexts } from './current-text.js';
import type { LineDefinition } from './line-definitions.js';
import type { LineKind } from './line-languages/pattern.js';
import { roleInLine, wordPattern, worthOfRole } from './line-role.js';
import type { Match, Named, NamedDefinition, NamedPath } from './named.js';
import type { PassageIndex } from './passage-index.js';
import { placeText, type Place } from './place.js';
import { shareOf, type Query } from './query.js';
import type { RankedPassage, Ranking } from './ranking.js';
import { termsOf } from './words.js';

/** A place and how good it is. */
export interface ScoredPlace {
  readonly place: Place;
  readonly score: number;
}

const kindWords: Readonly<Record<LineKind, string>> = {
  function: 'the function',
  method: 'the method',
  class: 'the class',
  interface: 'the interface',
  type: 'the type',
  enum: 'the enum',
  constant: 'the constant',
  variable: 'the variable',
  module: 'the module',
  field: 'the field',
  heading: 'the heading',
  key: 'the key',
  section: 'the section',
  target: 'the target',
  stage: 'the stage',
  resource: 'the resource',
  selector: 'the style',
  element: 'the element',
  table: 'the table',
  test: 'the test',
  label: 'the label',
  entry: 'the entry',
};

/** Rows above which the beginning of a function is no longer where its text is. */
const rowsToBeginning = 120;
const reasonOf: Readonly<Record<Match, Place['reason']>> = {
  exact: 'name',
  folded: 'name',
  phrase: 'name',
  parts: 'similar-name',
  misspelt: 'misspelt-name',
};

/** Words that are named as the reason, at most. */
const maxReasonWords = 4;
/** In queries of no more words, the line with the name is the place rather than the beginning of what it stands in. */
const shortQuery = 6;
/** A definition is looked for this many lines around the row that the index knows. */
const driftedRows = 400;

/** What a passage goes on with, unless it began far above. */
function beginningOf(around: LineDefinition | undefined, row: number): LineDefinition | undefined {
  const isFunction = around?.kind === 'function' || around?.kind === 'method';
  return isFunction && row - around.row < rowsToBeginning ? around : undefined;
}

/** Makes places of ranked passages: the line, from the file as it is now, and why. */
export class PlaceMaker {
  private readonly mentions: readonly { readonly text: string; readonly pattern: RegExp; readonly share: number }[];
  private readonly termsByWord = new Map<string, readonly string[]>();

  constructor(
    private readonly index: PassageIndex,
    private readonly texts: CurrentTexts,
    query: Query,
    private readonly named: Named,
    private readonly ranking: Ranking,
  ) {
    const undefinedNames = named.mentioned.map(({ name }) => name);
    this.mentions = query.names
      .filter((name) => name.form !== 'word')
      .flatMap((name) => {
        const mentioned = named.mentioned.find((each) => each.name === name);
        if (mentioned === undefined && query.words.length > shortQuery) return [];
        const words = mentioned?.words.map((word) => index.vocabulary.text(word)) ?? [];
        const share = undefinedNames.includes(name) ? shareOf(query, name.text) : 0;
        return [...new Set([name.text, ...words])].map((text) => ({ text, pattern: wordPattern(text), share }));
      });
  }

  /** The place of a passage; undefined when it is gone. */
  async of(ranked: RankedPassage): Promise<ScoredPlace | undefined> {
    const { file, first } = this.index.filePassages(ranked.file);
    const text = await this.texts.read(file.path);
    if (text === undefined || text.lines.length === 0) return undefined;
    const path = this.named.paths.find(({ files }) => files.includes(ranked.file));
    if (path !== undefined && ranked.passage === first && ranked.named === undefined) {
      return { place: this.ofPath(text, path), score: ranked.score };
    }
    if (ranked.named !== undefined) {
      const place = this.ofDefinition(text, ranked.named);
      if (place !== undefined) return { place, score: ranked.score };
    }
    return this.ofMention(text, ranked) ?? this.ofWords(text, ranked);
  }

  private ofPath(text: CurrentText, { folder, line, name }: NamedPath): Place {
    const row = Math.min(Math.max(1, line ?? 1), text.lines.length) - 1;
    const around = line === undefined ? undefined : text.around(row);
    const endLine = around === undefined ? row + 1 : text.endOf(around) + 1;
    const why = folder === undefined ? `the file ${name}` : `in the folder ${folder}`;
    const reason = folder === undefined ? 'path' : 'folder';
    return this.place(text, row, Math.max(row + 1, endLine), around?.name, why, reason);
  }

  private place(
    { path, lines }: CurrentText,
    row: number,
    endLine: number,
    name: string | undefined,
    why: string,
    reason: Place['reason'],
  ): Place {
    const text = placeText(lines[row] ?? '');
    return { path, line: row + 1, endLine, ...(name === undefined ? {} : { name }), text, why, reason };
  }

  private ofDefinition(text: CurrentText, { definition, match }: NamedDefinition): Place | undefined {
    const called = this.index.vocabulary.text(definition.word);
    const now = text.definitions
      .filter((each) => each.name === called && Math.abs(each.row - definition.row) <= driftedRows)
      .toSorted((a, b) => Math.abs(a.row - definition.row) - Math.abs(b.row - definition.row))[0];
    if (now === undefined) return undefined;
    const what = `${kindWords[now.kind]} ${called}`;
    const why = match === 'misspelt' ? `did you mean ${called}? ${what}` : what;
    const reason = reasonOf[match];
    const qualified = now.container === undefined || now.kind === 'key' ? called : `${now.container}.${called}`;
    return this.place(text, now.row, text.endOf(now) + 1, qualified, why, reason);
  }

  /** The line that does most with a name which nothing is called by. */
  private ofMention(text: CurrentText, ranked: RankedPassage): ScoredPlace | undefined {
    if (this.mentions.length === 0) return undefined;
    let best: { row: number; worth: number; share: number; name: string } | undefined;
    const end = Math.min(text.lines.length, this.index.endRowOf(ranked.passage));
    for (let row = this.index.rowOf(ranked.passage); row < end; row += 1) {
      const line = text.lines[row] ?? '';
      for (const { text: name, pattern, share } of this.mentions) {
        const role = roleInLine(line, pattern);
        if (role === undefined) continue;
        const worth = worthOfRole[role];
        if (worth > (best?.worth ?? 0)) best = { row, worth, share, name };
      }
    }
    if (best === undefined) return undefined;
    const around = text.around(best.row);
    const why = `${best.worth >= worthOfRole.sets ? 'sets' : 'mentions'} ${best.name}`;
    return {
      place: this.place(text, best.row, best.row + 1, around?.name, why, 'mention'),
      score: ranked.score * (1 + (best.worth - 1) * best.share),
    };
  }

  /** The beginning of what a passage is the text of, or else the line with most of the query's words. */
  private ofWords(text: CurrentText, ranked: RankedPassage): ScoredPlace {
    const { index, ranking } = this;
    const begin = Math.min(index.rowOf(ranked.passage), text.lines.length - 1);
    const end = Math.max(begin + 1, Math.min(text.lines.length, index.endRowOf(ranked.passage)));
    const found = new Map<string, string>();
    let best = { row: begin, weight: -1 };
    for (let row = begin; row < end; row += 1) {
      let weight = 0;
      for (const [word] of (text.lines[row] ?? '').matchAll(/[\p{L}_$][\p{L}\p{N}_$-]*/gu)) {
        for (const term of this.terms(word)) {
          const known = ranking.termWeights.get(term);
          if (known === undefined) continue;
          weight += known;
          if (!found.has(term)) found.set(term, word);
        }
      }
      if (weight > best.weight) best = { row, weight };
    }
    const main =
      text.definitions.find((each) => each.isBlock && each.row >= begin && each.row < end) ??
      beginningOf(text.around(best.row), begin);
    const row = main?.row ?? best.row;
    const around = main ?? text.around(row);
    const endLine = main === undefined ? end : text.endOf(main) + 1;
    const heaviest = [...found]
      .toSorted(([a], [b]) => (ranking.termWeights.get(b) ?? 0) - (ranking.termWeights.get(a) ?? 0))
      .map(([, word]) => word);
    const words = [...new Set(heaviest)].slice(0, maxReasonWords);
    const why = words.length === 0 ? 'its path' : `has ${words.join(', ')}`;
    return { place: this.place(text, row, endLine, around?.name, why, 'words'), score: ranked.score };
  }

  private terms(word: string): readonly string[] {
    let terms = this.termsByWord.get(word);
    if (terms === undefined) {
      terms = termsOf(word);
      this.termsByWord.set(word, terms);
    }
    return terms;
  }
}
