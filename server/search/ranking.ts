import type { NamedDefinition, Named } from './named.js';
import type { PassageIndex } from './passage-index.js';
import { stemOf, type PathKind } from './path-kind.js';
import { shareOf, type Query } from './query.js';
import { partsOf, stem } from './words.js';

/** What counts how much. Chosen on public and own questions about some ten repositories: `npm run bench:find`. */
export interface RankingWeights {
  /** How soon more of the same word counts no more (BM25's k1). */
  readonly saturation: number;
  /** How much longer passages are discounted (BM25's b). */
  readonly lengthShare: number;
  /** Occurrences that a word counts for in the name of what a passage is the text of. */
  readonly name: number;
  /** … in the name of what that stands in. */
  readonly container: number;
  /** … in the path. */
  readonly path: number;
  /** What a file adds whose name is made of words of the query, by what these words weigh. */
  readonly fileName: number;
  /** Power of a term's inverse document frequency: below 1 rare words count less. */
  readonly rarity: number;
  /** Share of the score of the whole file that its passages get. */
  readonly file: number;
  /** Share that a passage gets of the next best of its file, that one of the next, and so on. */
  readonly siblings: number;
  /** Factor for each earlier place of the same file. */
  readonly repeated: number;
  /** What a definition that is surely named adds, in mean terms. */
  readonly named: number;
  /** How much more that is where the query is nothing but the name. */
  readonly focus: number;
  readonly kinds: Readonly<Record<PathKind, number>>;
  /** Instead of `kinds.test` where tests are asked for. */
  readonly testsAsked: number;
  /** … and nothing else is. */
  readonly testsOf: number;
}

export const defaultWeights: RankingWeights = {
  saturation: 1.2,
  lengthShare: 0.75,
  name: 2,
  container: 1,
  path: 1,
  fileName: 0.9,
  rarity: 0.7,
  file: 0.15,
  siblings: 0.4,
  repeated: 0.3,
  named: 2.5,
  focus: 2,
  kinds: { source: 1, test: 0.65, example: 0.8, document: 0.65, changes: 0.35, data: 0.85, declarations: 0.9 },
  testsAsked: 0.97,
  testsOf: 1.4,
};

export interface RankedPassage {
  readonly passage: number;
  readonly file: number;
  readonly score: number;
  /** The definition that the query names, where the passage holds one. */
  readonly named: NamedDefinition | undefined;
}

export interface Ranking {
  /** Best first. */
  readonly passages: readonly RankedPassage[];
  /** What each term of the query weighs: the more, the fewer passages have it. */
  readonly termWeights: ReadonlyMap<string, number>;
  /** What one of them weighs in the mean. */
  readonly meanTerm: number;
}

/** What a definition that is named is worth, by where it stands: a heading or a key is as good as a function. */
const worthOfNamed: Readonly<Record<PathKind, number>> = {
  source: 1,
  declarations: 0.95,
  data: 1,
  document: 0.95,
  example: 0.8,
  test: 0.5,
  changes: 0.4,
};

/** … where its tests are asked for. */
const worthForTests = (kind: PathKind): number => (kind === 'test' ? 1 : 0.2);

/** Passages that are looked at closely. */
const maxRanked = 300;
/** Passages of a file that add to each other. */
const maxSiblings = 12;

/** The terms that a file's name is made of, without its ending. */
function fileNameTerms(path: string): string[] {
  return [...new Set(partsOf(stemOf(path)).map(stem))];
}

interface Scored {
  readonly passage: number;
  readonly file: number;
  score: number;
}

class Scoring {
  private readonly scores: Float64Array;
  private readonly bonuses = new Map<number, number>();
  private readonly counts: Float64Array;
  private readonly fileScores: Float64Array;
  private readonly fileCounts: Float64Array;
  /** What the words of the query that a file's name is made of weigh, and how many they are. */
  private readonly inFileNames = new Map<number, { weight: number; terms: number }>();
  private readonly touched: number[] = [];
  private readonly found: number[] = [];
  /** What each term of the query weighs. */
  readonly termWeights = new Map<string, number>();

  constructor(
    private readonly index: PassageIndex,
    private readonly weights: RankingWeights,
  ) {
    this.scores = new Float64Array(index.passages);
    this.counts = new Float64Array(index.passages);
    this.fileScores = new Float64Array(index.files);
    this.fileCounts = new Float64Array(index.files);
  }

  private count(passage: number, times: number): void {
    if (this.counts[passage] === 0) this.touched.push(passage);
    this.counts[passage] = (this.counts[passage] ?? 0) + times;
  }

  /** Adds what a term says: BM25 of passages, and of files. */
  add(term: string, words: Uint32Array, weight: number): void {
    const { index, weights, counts, touched } = this;
    const inPath = new Set<number>();
    for (const word of words) {
      index.forPassagesWith(word, (passage, times) => {
        this.count(passage, times);
      });
      for (const passage of index.passagesNamed(word)) this.count(passage, weights.name);
      for (const passage of index.passagesInside(word)) this.count(passage, weights.container);
      for (const file of index.filesWithPathWord(word)) {
        inPath.add(file);
        const { first, end } = index.filePassages(file);
        for (let passage = first; passage < end; passage += 1) this.count(passage, weights.path);
      }
    }
    if (touched.length === 0) return;
    const idf = this.idf(touched.length, index.passages) * weight;
    this.termWeights.set(term, idf);
    const files: number[] = [];
    for (const passage of touched) {
      const times = counts[passage] ?? 0;
      counts[passage] = 0;
      if (this.scores[passage] === 0) this.found.push(passage);
      const share = this.saturated(times, index.lengthOf(passage) / index.averageLength);
      this.scores[passage] = (this.scores[passage] ?? 0) + idf * share;
      const file = index.fileOf(passage);
      if (this.fileCounts[file] === 0) files.push(file);
      this.fileCounts[file] = (this.fileCounts[file] ?? 0) + times;
    }
    touched.length = 0;
    for (const file of inPath) {
      if (!fileNameTerms(index.filePassages(file).file.path).includes(term)) continue;
      const sum = this.inFileNames.get(file) ?? { weight: 0, terms: 0 };
      this.inFileNames.set(file, { weight: sum.weight + idf, terms: sum.terms + 1 });
    }
    const fileIdf = this.idf(files.length, index.files) * weight;
    for (const file of files) {
      const times = this.fileCounts[file] ?? 0;
      this.fileCounts[file] = 0;
      const { length } = index.filePassages(file).file;
      const share = this.saturated(times / 2, length / index.averageFileLength);
      this.fileScores[file] = (this.fileScores[file] ?? 0) + fileIdf * share;
    }
  }

  private idf(found: number, all: number): number {
    return Math.log(1 + (all - found + 0.5) / (found + 0.5)) ** this.weights.rarity;
  }

  private saturated(times: number, length: number): number {
    const { saturation, lengthShare } = this.weights;
    return (times * (saturation + 1)) / (times + saturation * (1 - lengthShare + lengthShare * length));
  }

  /** What one term weighs in the mean. */
  get meanTerm(): number {
    let sum = 0;
    for (const weight of this.termWeights.values()) sum += weight;
    return sum / Math.max(1, this.termWeights.size);
  }

  /** Adds what a passage is worth for what the query names. */
  addBonus(passage: number, bonus: number): void {
    this.bonuses.set(passage, (this.bonuses.get(passage) ?? 0) + bonus);
  }

  /** The passages that anything was found in, best first. */
  ranked(factorOf: (kind: PathKind) => number, worthOf: (kind: PathKind) => number): Scored[] {
    const { index, weights, scores } = this;
    const nameScores = new Map(
      [...this.inFileNames].map(([file, { weight, terms }]) => {
        const all = fileNameTerms(index.filePassages(file).file.path).length;
        return [file, (weights.fileName * weight * terms) / Math.max(1, all)];
      }),
    );
    const passages = new Set([...this.found, ...this.bonuses.keys()]);
    const ranked = Array.from(passages, (passage) => {
      const file = index.fileOf(passage);
      const whole = (scores[passage] ?? 0) + weights.file * (this.fileScores[file] ?? 0) + (nameScores.get(file) ?? 0);
      const { kind } = index.filePassages(file).file;
      const bonus = (this.bonuses.get(passage) ?? 0) * worthOf(kind);
      return { passage, file, score: whole * factorOf(kind) + bonus };
    });
    return ranked.sort((a, b) => this.compare(a, b)).slice(0, maxRanked);
  }

  /** Best first; of equals by path and line, so that the order does not depend on how the index was built. */
  compare(a: Scored, b: Scored): number {
    if (a.score !== b.score) return b.score - a.score;
    const [one, other] = [a, b].map(({ file }) => this.index.filePassages(file).file.path);
    if (one !== undefined && other !== undefined && one !== other) return one < other ? -1 : 1;
    return this.index.rowOf(a.passage) - this.index.rowOf(b.passage);
  }
}

/** Adds to each passage shares of the others of its file: a file that is about all of it comes before one that mentions it. */
function addSiblings(ranked: readonly Scored[], share: number): void {
  const added = new Map<number, { count: number; score: number }>();
  for (const { file, score } of ranked) {
    const sum = added.get(file) ?? { count: 0, score: 0 };
    if (sum.count > 0 && sum.count < maxSiblings) sum.score += share ** sum.count * score;
    sum.count += 1;
    added.set(file, sum);
  }
  for (const each of ranked) each.score += added.get(each.file)?.score ?? 0;
}

/** Puts passages of files that had none yet before further ones of the same file, unless those are much better. */
function spread(sorted: readonly Scored[], repeated: number, most: number): Scored[] {
  const rest = [...sorted];
  const times = new Map<number, number>();
  const chosen: Scored[] = [];
  while (rest.length > 0 && chosen.length < most) {
    let best = 0;
    let bestScore = -1;
    for (const [at, each] of rest.entries()) {
      const earlier = times.get(each.file) ?? 0;
      const score = each.score * repeated ** earlier;
      if (score > bestScore) [best, bestScore] = [at, score];
      // All that follow are worse even without a discount.
      if (earlier === 0) break;
    }
    const [next] = rest.splice(best, 1);
    if (next === undefined) break;
    times.set(next.file, (times.get(next.file) ?? 0) + 1);
    chosen.push({ ...next, score: bestScore });
  }
  return chosen;
}

/** Words of the texts that a term finds. */
function wordsOf(index: PassageIndex, term: string): Uint32Array {
  const number = index.vocabulary.term(term);
  return number === undefined ? new Uint32Array() : index.vocabulary.wordsOf(number);
}

/**
 * Ranks the passages of a repository for a query: BM25 over its words (Robertson and Zaragoza, 2009) with names, what they
 * stand in and paths as fields, the same for whole files, and on top of it what the query names.
 *
 * @param most as many are returned
 */
export function rankPassages(
  index: PassageIndex,
  query: Query,
  named: Named,
  most: number,
  weights: RankingWeights = defaultWeights,
): Ranking {
  const scoring = new Scoring(index, weights);
  for (const [term, weight] of query.terms) scoring.add(term, wordsOf(index, term), weight);
  const mean = Math.max(1, scoring.meanTerm);
  const best = new Map<number, NamedDefinition>();
  for (const each of named.definitions) {
    const { passage } = each.definition;
    if ((best.get(passage)?.sureness ?? 0) < each.sureness) best.set(passage, each);
  }
  for (const [passage, { sureness, name }] of best) {
    const focus = 1 + weights.focus * shareOf(query, name);
    scoring.addBonus(passage, weights.named * mean * sureness * focus);
  }
  for (const { files, sureness } of named.paths) {
    files.forEach((file, at) => {
      const { first, end } = index.filePassages(file);
      if (end > first) scoring.addBonus(first, (weights.named * mean * sureness * 2) / (1 + at / 3));
    });
  }
  const factorOf = (kind: PathKind): number =>
    kind !== 'test' || !query.asks.tests
      ? weights.kinds[kind]
      : query.asks.testsOf
        ? weights.testsOf
        : weights.testsAsked;
  const worthOf = (kind: PathKind): number => (query.asks.testsOf ? worthForTests(kind) : worthOfNamed[kind]);
  const ranked = scoring.ranked(factorOf, worthOf);
  addSiblings(ranked, weights.siblings);
  ranked.sort((a, b) => scoring.compare(a, b));
  const passages = spread(ranked, weights.repeated, most).map((each) => ({ ...each, named: best.get(each.passage) }));
  return { passages, termWeights: scoring.termWeights, meanTerm: mean };
}
