import { throwIfCancelled } from '../errors.js';
import { detectChanges } from '../repository/changes.js';
import type { ChangedFile, Survey, SurveyOptions } from '../repository/source.js';
import { surveyRepository, type SurveyHooks } from '../repository/survey.js';
import { CurrentTexts } from './current-text.js';
import { NameResolver, type Named } from './named.js';
import { PassageIndex } from './passage-index.js';
import type { Place } from './place.js';
import { PlaceMaker } from './places.js';
import { qualifiedParts, readQuery, type Query } from './query.js';
import { rankPassages, type RankingWeights } from './ranking.js';
import { findUses } from './uses.js';
import { foldName, partsOf, stem } from './words.js';

/** Where somebody stands in the editor. */
export interface Cursor {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
}

export interface FindOptions {
  /** Places, at most. */
  readonly limit?: number;
  readonly cursor?: Cursor;
  readonly signal?: AbortSignal;
  readonly weights?: RankingWeights;
}

/** How often a name stands in the texts of a repository. */
export interface NameCount {
  /** Definitions that are called so. */
  readonly definitions: number;
  /** At least: of a passage no more than 63 are counted. */
  readonly occurrences: number;
  readonly files: number;
}

/** A passage with its text, for a model to read. */
export interface FoundPassage {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

const defaultLimit = 20;
/** Passages that are looked at for each place that is wanted, and at least. */
const passagesPerPlace = 2;
const leastPassages = 24;
/** Uses before the definition, where uses are asked for: all of them that fit but one. */
const bytesPerToken = 4;
/** More of it changed than this share: it is indexed anew. */
const mostChanged = 0.25;

/**
 * The search in one repository that needs no model: an index of all its texts, made in about a second, and places ranked
 * for a query. The index holds no text; lines are read from the files as they are at the moment of the question.
 */
export class RepositorySearch {
  private index: PassageIndex;
  private changedSince = 0;

  private constructor(
    private current: Survey,
    private readonly options: SurveyOptions,
    index: PassageIndex,
  ) {
    this.index = index;
  }

  /**
   * Surveys a repository and indexes its texts on the way: each file is read once.
   *
   * @param root absolute, or relative to the working directory
   * @throws LocretError what {@link surveyRepository} throws
   */
  static async open(
    root: string,
    options: SurveyOptions,
    hooks: Omit<SurveyHooks, 'onText'> = {},
  ): Promise<RepositorySearch> {
    const { survey, index } = await RepositorySearch.read(root, options, hooks);
    return new RepositorySearch(survey, options, index);
  }

  private static async read(
    root: string,
    options: SurveyOptions,
    hooks: Omit<SurveyHooks, 'onText'>,
  ): Promise<{ survey: Survey; index: PassageIndex }> {
    const index = new PassageIndex();
    let builder = index.builder();
    const survey = await surveyRepository(root, options, {
      ...hooks,
      onText: ({ path }, bytes) => {
        builder.addFile(path, bytes);
        if (!builder.isFull) return;
        index.add(builder.finish());
        builder = index.builder();
      },
    });
    index.add(builder.finish());
    return { survey, index };
  }

  /** The repository as it was when the index was made or last brought up to date. */
  get survey(): Survey {
    return this.current;
  }

  /**
   * Brings the index up to date with the files: what is new, changed or gone. Files of the same size and time are not
   * read.
   *
   * @returns what differed
   * @throws LocretError `repository-unreadable`, `cancelled`
   */
  async refresh(signal?: AbortSignal): Promise<readonly ChangedFile[]> {
    const builder = this.index.builder();
    const { changed, survey } = await detectChanges(
      this.current,
      this.current.files,
      this.options,
      signal,
      (file, bytes) => {
        builder.addFile(file.path, bytes);
      },
    );
    if (changed.length === 0) return changed;
    this.index.add(builder.finish());
    for (const { path, change } of changed) if (change === 'removed') this.index.remove(path);
    this.current = survey;
    this.changedSince += changed.length;
    if (this.changedSince > mostChanged * survey.files.length + 16) await this.rebuild(signal);
    return changed;
  }

  private async rebuild(signal: AbortSignal | undefined): Promise<void> {
    const hooks = signal === undefined ? {} : { signal };
    const { survey, index } = await RepositorySearch.read(this.current.root, this.options, hooks);
    this.current = survey;
    this.index = index;
    this.changedSince = 0;
  }

  /**
   * The places that a query is about, best first: what it names, where that is used if it asks for that, and passages that
   * have its words.
   *
   * @throws LocretError `cancelled`
   */
  async find(text: string, options: FindOptions = {}): Promise<Place[]> {
    const { limit = defaultLimit, signal } = options;
    throwIfCancelled(signal, 'Searching');
    const query = readQuery(text);
    const named = new NameResolver(this.index).resolve(query);
    const texts = this.texts();
    const most = Math.max(leastPassages, limit * passagesPerPlace);
    const ranking = rankPassages(this.index, query, named, most, options.weights);
    const maker = new PlaceMaker(this.index, texts, query, named, ranking);
    // All at once: files are read side by side.
    const made = await Promise.all(ranking.passages.map((passage) => maker.of(passage)));
    throwIfCancelled(signal, 'Searching');
    const scored = made.filter((place) => place !== undefined);
    const places = scored.toSorted((a, b) => b.score - a.score).map(({ place }) => place);
    const uses = query.asks.uses ? await this.usesAskedFor(query, named, texts) : [];
    return atCursor(distinct([...uses, ...places]), options.cursor).slice(0, limit);
  }

  private texts(): CurrentTexts {
    return new CurrentTexts(this.current.root, this.options.maxFileBytes);
  }

  /** Where the first name of a question is used, if that name is one of the repository. */
  private async usesAskedFor(query: Query, named: Named, texts: CurrentTexts): Promise<Place[]> {
    const [name] = query.names;
    const isKnown = named.definitions.some((each) => each.name === name?.text && each.match !== 'parts');
    if (name === undefined || (!isKnown && name.form === 'word')) return [];
    const words = this.wordsOf(qualifiedParts(name.text).at(-1) ?? name.text);
    return (await findUses(this.index, texts, name.text, words)).map(({ place }) => place);
  }

  /** The words of the texts that are a name, as it is written, or else whatever their case and signs. */
  private wordsOf(name: string): number[] {
    const { vocabulary } = this.index;
    const exact = vocabulary.word(name);
    if (exact !== undefined) return [exact];
    const folded = foldName(name);
    const term = vocabulary.term(partsOf(name).length > 1 ? folded : stem(folded));
    if (term === undefined) return [];
    return Array.from(vocabulary.wordsOf(term)).filter((word) => foldName(vocabulary.text(word)) === folded);
  }

  /** Where a name is defined, as the files are now; best first. */
  async definitions(name: string, limit = defaultLimit): Promise<Place[]> {
    const places = await this.find(`\`${name.replaceAll('`', '')}\``, { limit: limit * passagesPerPlace });
    return places.filter(({ reason }) => reason === 'name').slice(0, limit);
  }

  /** Where a name is used, as the files are now; best first. */
  async mentions(name: string, limit = defaultLimit): Promise<Place[]> {
    const words = this.wordsOf(qualifiedParts(name).at(-1) ?? name);
    const uses = await findUses(this.index, this.texts(), name, words);
    return uses.slice(0, limit).map(({ place }) => place);
  }

  /** How often a name stands in the texts: nothing may be said to be missing that does. */
  isKnown(name: string): NameCount {
    const files = new Set<number>();
    let occurrences = 0;
    let definitions = 0;
    for (const word of this.wordsOf(qualifiedParts(name.trim()).at(-1) ?? name)) {
      definitions += this.index.definitionsOf(word).length;
      this.index.forPassagesWith(word, (passage, count) => {
        occurrences += count;
        files.add(this.index.fileOf(passage));
      });
    }
    return { definitions, occurrences, files: files.size };
  }

  /**
   * The texts of the best places, whole where they fit, in the order of their worth.
   *
   * @param tokenBudget of all of them together; a token is taken to be four bytes
   */
  async passages(text: string, tokenBudget: number, options: FindOptions = {}): Promise<FoundPassage[]> {
    const texts = this.texts();
    const passages: FoundPassage[] = [];
    let left = tokenBudget * bytesPerToken;
    for (const { path, line, endLine } of await this.find(text, options)) {
      const lines = (await texts.read(path))?.lines.slice(line - 1, endLine) ?? [];
      const taken: string[] = [];
      for (const each of lines) {
        const bytes = Buffer.byteLength(each) + 1;
        if (bytes > left) break;
        left -= bytes;
        taken.push(each);
      }
      if (taken.length === 0) break;
      passages.push({ path, line, endLine: line + taken.length - 1, text: taken.join('\n') });
    }
    return passages;
  }
}

/** Each line once. */
function distinct(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter(({ path, line }) => {
    const key = `${path}:${line}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What the cursor stands on comes first, if it is among what was found by its name; then what is in the same file. */
function atCursor(places: Place[], cursor: Cursor | undefined): Place[] {
  if (cursor === undefined) return places;
  const rank = ({ path, line, endLine, reason }: Place): number => {
    if (path !== cursor.path || reason !== 'name') return 1;
    return line <= cursor.line && cursor.line <= endLine ? 0 : 1;
  };
  return places.toSorted((a, b) => rank(a) - rank(b));
}
