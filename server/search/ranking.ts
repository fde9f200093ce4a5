import type { NamedDefinition, Named } from './named.js';
import type { PassageIndex } from './passage-index.js';
import type { PathKind } from './path-kind.js';
import { joinedWords, type Query } from './query.js';

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
  /** … one whose name is made of words that follow each other in the query. */
  readonly joined: number;
  readonly kinds: Readonly<Record<PathKind, number>>;
  /** Instead of `kinds.test` where tests are asked for. */
  readonly testsAsked: number;
}

export const defaultWeights: RankingWeights = {
  saturation: 1.2,
  lengthShare: 0.75,
  name: 2,
  container: 1,
  path: 1,
  rarity: 0.7,
  file: 0.15,
  siblings: 0.4,
  repeated: 0.3,
  named: 3,
  joined: 0.5,
  kinds: { source: 1, test: 0.7, example: 0.8, document: 0.65, changes: 0.35, data: 0.85, declarations: 0.9 },
  testsAsked: 0.97,
};

export interface RankedPassage {
  readonly passage: number;
  readonly file: number;
  readonly score: number;
  /** The definition that the query names, where the passage holds one. */
  readonly named: NamedDefinition | undefined;
}

/** Passages that are looked at closely. */
const maxRanked = 300;
/** Passages of a file that add to each other. */
const maxSiblings = 12;

interface Scored {
  readonly passage: number;
  readonly file: number;
  score: number;
}

class Scoring {
  private readonly scores: Float64Array;
  private readonly counts: Float64Array;
  private readonly fileScores: Float64Array;
  private readonly fileCounts: Float64Array;
  private readonly touched: number[] = [];
  private readonly found: number[] = [];
  /** What all terms of the query weigh, and how many there are. */
  mass = 0;
  terms = 0;

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
  add(words: Uint32Array, weight: number): void {
    const { index, weights, counts, touched } = this;
    for (const word of words) {
      index.forPassagesWith(word, (passage, times) => {
        this.count(passage, times);
      });
      for (const passage of index.passagesNamed(word)) this.count(passage, weights.name);
      for (const passage of index.passagesInside(word)) this.count(passage, weights.container);
      for (const file of index.filesWithPathWord(word)) {
        const { first, end } = index.filePassages(file);
        for (let passage = first; passage < end; passage += 1) this.count(passage, weights.path);
      }
    }
    if (touched.length === 0) return;
    const idf = this.idf(touched.length, index.passages) * weight;
    this.mass += idf;
    this.terms += 1;
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
    return this.mass / Math.max(1, this.terms);
  }

  addTo(passage: number, score: number): void {
    if (this.scores[passage] === 0) this.found.push(passage);
    this.scores[passage] = (this.scores[passage] ?? 0) + score;
  }

  /** The passages that anything was found in, best first. */
  ranked(factorOf: (kind: PathKind) => number): Scored[] {
    const { index, weights, scores } = this;
    const ranked = this.found.map((passage) => {
      const file = index.fileOf(passage);
      const whole = (scores[passage] ?? 0) + weights.file * (this.fileScores[file] ?? 0);
      return { passage, file, score: whole * factorOf(index.filePassages(file).file.kind) };
    });
    return ranked.sort((a, b) => b.score - a.score || a.passage - b.passage).slice(0, maxRanked);
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
function spread(ranked: readonly Scored[], repeated: number, most: number): Scored[] {
  const rest = ranked.toSorted((a, b) => b.score - a.score || a.passage - b.passage);
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
): RankedPassage[] {
  const scoring = new Scoring(index, weights);
  for (const [term, weight] of query.terms) scoring.add(wordsOf(index, term), weight);
  const mean = Math.max(1, scoring.meanTerm);
  const best = new Map<number, NamedDefinition>();
  for (const each of named.definitions) {
    const { passage } = each.definition;
    if ((best.get(passage)?.sureness ?? 0) < each.sureness) best.set(passage, each);
  }
  for (const [passage, { sureness }] of best) scoring.addTo(passage, weights.named * mean * sureness);
  if (weights.joined > 0) {
    const passages = new Set<number>();
    for (const joined of joinedWords(query.words)) {
      for (const word of wordsOf(index, joined)) {
        for (const { passage, local } of index.definitionsOf(word)) if (!local) passages.add(passage);
      }
    }
    for (const passage of passages) scoring.addTo(passage, weights.joined * mean);
  }
  for (const { files, sureness } of named.paths) {
    files.forEach((file, at) => {
      const { first, end } = index.filePassages(file);
      if (end > first) scoring.addTo(first, (weights.named * mean * sureness * 2) / (1 + at / 8));
    });
  }
  const factorOf = (kind: PathKind): number =>
    kind === 'test' && query.asks.tests ? weights.testsAsked : weights.kinds[kind];
  const ranked = scoring.ranked(factorOf);
  addSiblings(ranked, weights.siblings);
  return spread(ranked, weights.repeated, most).map((each) => ({ ...each, named: best.get(each.passage) }));
}
