import { throwIfCancelled } from '../errors.js';
import { detectChanges } from '../repository/changes.js';
import type { ChangedFile } from '../contract/contents.js';
import type { Survey, SurveyOptions } from '../repository/source.js';
import { surveyRepository, type SurveyHooks } from '../repository/survey.js';
import { CurrentTexts } from './current-text.js';
import { NameResolver, wordsNamed, type Named } from './named.js';
import { PassageIndex } from './passage-index.js';
import type { Place } from './place.js';
import { PlaceMaker } from './places.js';
import { readQuery, type Query } from './query.js';
import { rankPassages, type RankingWeights } from './ranking.js';
import { findUses } from './uses.js';

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
  /** Files in whose texts it stands. */
  readonly files: number;
  /** Files in whose paths it stands. */
  readonly paths: number;
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
  private updating: Promise<void> = Promise.resolve();

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
   * @param touched of files and folders, relative to the root: only these are looked at. Undefined: everything is
   * @returns what differed
   * @throws LocretError `repository-unreadable`, `cancelled`
   */
  update(touched?: Iterable<string>, signal?: AbortSignal): Promise<readonly ChangedFile[]> {
    const next = this.updating.then(() => this.updateNow(touched, signal));
    // One after the other; that one failed is no matter for the next.
    this.updating = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  }

  private async updateNow(
    touched: Iterable<string> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly ChangedFile[]> {
    const { current } = this;
    const builder = this.index.builder();
    const { changed, survey } = await detectChanges(current, current.files, this.options, {
      signal,
      since: touched === undefined ? undefined : { changes: { changed: [], survey: current, added: [] }, touched },
      onText: (file, bytes) => {
        builder.addFile(file.path, bytes);
      },
    });
    this.current = survey;
    if (changed.length === 0) return changed;
    this.index.add(builder.finish());
    for (const { path, change } of changed) if (change === 'removed') this.index.remove(path);
    this.changedSince += changed.length;
    if (this.changedSince > mostChanged * survey.files.length + 16) await this.rebuild(signal);
    return changed;
  }

  private async rebuild(signal: AbortSignal | undefined): Promise<void> {
    const { survey, index } = await RepositorySearch.read(this.current.root, this.options, { signal });
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
    const { index } = this;
    const query = readQuery(text);
    const named = new NameResolver(index).resolve(query);
    const texts = this.texts();
    const most = Math.max(leastPassages, limit * passagesPerPlace);
    const ranking = rankPassages(index, query, named, most, options.weights);
    const maker = new PlaceMaker(index, texts, query, named, ranking);
    // All at once: files are read side by side.
    const made = await Promise.all(ranking.passages.map((passage) => maker.of(passage)));
    throwIfCancelled(signal, 'Searching');
    const scored = made.filter((place) => place !== undefined);
    const places = scored.toSorted((a, b) => b.score - a.score).map(({ place }) => place);
    const uses = query.asks.uses ? await usesAskedFor(index, query, named, texts) : [];
    return atCursor(distinct([...uses, ...places]), options.cursor).slice(0, limit);
  }

  private texts(): CurrentTexts {
    return new CurrentTexts(this.current.root, this.options.maxFileBytes);
  }

  /** Where a name is defined, as the files are now; best first. */
  async definitions(name: string, limit = defaultLimit): Promise<Place[]> {
    const places = await this.find(`\`${name.replaceAll('`', '')}\``, { limit: limit * passagesPerPlace });
    return places.filter(({ reason }) => reason === 'name').slice(0, limit);
  }

  /** Where a name is used, as the files are now; best first. */
  async mentions(name: string, limit = defaultLimit): Promise<Place[]> {
    const uses = await findUses(this.index, this.texts(), name, wordsNamed(this.index, name));
    return uses.slice(0, limit).map(({ place }) => place);
  }

  /**
   * How often a name stands in the repository: nothing may be said to be missing that does. Of a name with what it belongs
   * to, as `Class.method`, the last part counts; of several words those that stand together in a passage.
   */
  isKnown(name: string): NameCount {
    const { index } = this;
    const wanted = name.trim().toLowerCase();
    const paths = [...index.paths()].filter((path) => `/${path.toLowerCase()}`.includes(`/${wanted}`)).length;
    const files = new Set<number>();
    let occurrences = 0;
    let definitions = 0;
    for (const word of wordsNamed(index, name)) {
      definitions += index.definitionsOf(word).length;
      index.forPassagesWith(word, (passage, count) => {
        occurrences += count;
        files.add(index.fileOf(passage));
      });
    }
    if (occurrences > 0 || !/\s/.test(name)) return { definitions, occurrences, files: files.size, paths };
    const together = passagesWithAll(index, name.match(/[\p{L}\p{N}_$-]+/gu) ?? []);
    const togetherIn = new Set(together.map((passage) => index.fileOf(passage)));
    return { definitions, occurrences: together.length, files: togetherIn.size, paths };
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

/** Where the first name of a question is used, if that name is one of the repository. */
async function usesAskedFor(index: PassageIndex, query: Query, named: Named, texts: CurrentTexts): Promise<Place[]> {
  const [name] = query.names;
  const isKnown = named.definitions.some((each) => each.name === name?.text && each.match !== 'parts');
  if (name === undefined || (!isKnown && name.form === 'word')) return [];
  return (await findUses(index, texts, name.text, wordsNamed(index, name.text))).map(({ place }) => place);
}

/** The passages that hold all of some words, whatever their case. */
function passagesWithAll(index: PassageIndex, words: readonly string[]): number[] {
  const [first, ...others] = words.map((word) => {
    const passages = new Set<number>();
    for (const each of wordsNamed(index, word)) index.forPassagesWith(each, (passage) => passages.add(passage));
    return passages;
  });
  return [...(first ?? [])].filter((passage) => others.every((passages) => passages.has(passage)));
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
