import type { SkippedFile } from '../../contract/contents.js';
import type { StructureName } from '../../contract/words.js';
import type { Engine } from '../../engine/engine.js';
import { isLocretError } from '../../errors.js';
import type { LoadedModel } from '../../model/model.js';
import { outlineSource } from '../../repository/outline.js';
import type { Definition, RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';
import { type Segment, streamRepository } from '../../repository/stream.js';
import { plainForm, repositoryTokenForm } from '../../repository/text-form.js';
import { DefinitionTable } from '../contents/definition-table.js';
import type { Keeper, OpenPart, ReadPart } from './partial-reading.js';
import type { ProgressMeter } from './progress-meter.js';
import { type FileMap, FileMapBuilder } from '../contents/source-map.js';
import { markDefinitions, type MarkedTokens } from './structure.js';
import { TokenFeed } from './token-feed.js';

/** Files to be read into an engine behind what it holds. */
export interface FilesToRead {
  readonly engine: Engine;
  readonly model: LoadedModel;
  /** The files, in order. */
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** Tokens before the repository's header; undefined: the files follow others, without a header. */
  readonly beginning: readonly number[] | undefined;
  /** Last tokens that are not evicted. */
  readonly local: number;
  readonly structure: StructureName;
  /** Index of the token that the engine reads next. */
  readonly firstTokenIndex: number;
  /** What the engine has read the first tokens of: they are passed over if it is the first thing to be read now. */
  readonly open?: OpenPart | undefined;
  readonly meter: ProgressMeter;
  readonly keeper?: Keeper<ReadPart> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Longer texts are not held for an outline: none is made of them. UTF-16 units. */
const longestOutlined = 4 << 20;

/** Takes down one file while its segments pass. */
class FileInProgress {
  private readonly map: FileMapBuilder;
  /** Tokens that have not been taken. */
  private readonly held: MarkedTokens[] = [];
  /** Undefined when no outline is to be made. */
  private text: string | undefined;

  /**
   * @param file as it was when it was opened
   * @param begin token index of the first token of its header
   */
  constructor(
    readonly file: RepositoryFile,
    readonly begin: number,
    private readonly structure: StructureName,
  ) {
    this.map = new FileMapBuilder(begin);
    this.text = file.language === undefined ? undefined : '';
  }

  add(segment: Segment, ids: Int32Array, starts: Int32Array): void {
    const isHeader = segment.kind === 'header';
    const favoured = new Uint8Array(ids.length).fill(isHeader && this.structure !== 'none' ? 1 : 0);
    this.held.push({ ids, favoured });
    if (isHeader) {
      this.map.addHeader(starts.length);
      return;
    }
    this.map.add(segment.text, starts, segment.line, segment.column);
    if (this.text === undefined) return;
    this.text = this.text.length + segment.text.length > longestOutlined ? undefined : this.text + segment.text;
  }

  /** Tokens that can be read now: where lines that name definitions are to stay, none before all are known. */
  take(): readonly MarkedTokens[] {
    return this.structure === 'definitions' && this.text !== undefined ? [] : this.held.splice(0);
  }

  /** @param file as it was read. @returns what is known of it, and the tokens that remain to be read */
  async finish(
    file: RepositoryFile,
  ): Promise<{ map: FileMap; definitions: readonly Definition[]; rest: readonly MarkedTokens[] }> {
    const definitions = this.text === undefined ? [] : await outlineSource(file, this.text);
    const map = this.map.finish(file);
    if (this.held.length > 0) markDefinitions(this.held, map, definitions);
    return { map, definitions, rest: this.held };
  }
}

/** One run of {@link readFiles}. */
class FilesReading {
  private readonly files: FileMap[] = [];
  private readonly definitions = new DefinitionTable();
  private readonly skipped: SkippedFile[] = [];
  private readonly feed: TokenFeed;
  /** The file that the stream opened last, as it was then. */
  private opened: RepositoryFile | undefined;
  private current: FileInProgress | undefined;
  /** The file whose last segment has come, as it was read. */
  private ended: RepositoryFile | undefined;
  /** Tokens that come next and that the engine has read before. */
  private known = 0;
  private forgotten = 0;
  /** Index of the first token of the stream. */
  private firstStreamed: number;
  /** One past the last token that the engine has read. */
  private reached: number;
  private kept: number;

  constructor(private readonly input: FilesToRead) {
    const { engine, local, firstTokenIndex, signal } = input;
    this.firstStreamed = firstTokenIndex;
    this.reached = firstTokenIndex;
    this.kept = firstTokenIndex;
    this.feed = new TokenFeed({
      engine,
      local,
      firstTokenIndex,
      onChunk: ({ end }) => {
        this.reached = end;
        input.meter.engineRead(end - this.firstStreamed);
      },
      betweenCalls: async () => {
        if (input.keeper?.isDue() === true) await this.keep();
      },
      signal,
    });
  }

  async run(): Promise<ReadPart> {
    try {
      await this.stream();
      await this.feed.finish();
    } catch (error) {
      await this.feed.settle();
      if (isLocretError(error, 'cancelled')) await this.keep();
      throw error;
    }
    this.input.meter.finish();
    return this.partUntil(this.feed.nextTokenIndex);
  }

  private async stream(): Promise<void> {
    const { beginning, model } = this.input;
    let { open } = this.input;
    if (open !== undefined && open.file === undefined) {
      this.passOver(open);
      open = undefined;
    }
    await this.push(unmarked(beginning ?? []));
    for await (const segment of this.segments()) {
      await this.finishFile();
      if (segment.file === undefined && beginning === undefined) continue;
      if (segment.file !== undefined && open !== undefined) {
        if (isSameFile(open.file, this.opened)) this.passOver(open);
        else await this.forget(open);
        open = undefined;
      }
      const { ids, starts } = model.tokenizer.encodeWithStarts(segment.text);
      if (segment.file !== undefined) {
        const { structure } = this.input;
        this.current ??= new FileInProgress(this.opened ?? segment.file, this.nextTokenIndex, structure);
        this.current.add(segment, ids, starts);
      }
      this.input.meter.segmentTokenized(segment.text.length, ids.length);
      for (const tokens of this.current?.take() ?? [unmarked(ids)]) await this.push(tokens);
    }
    await this.finishFile();
    if (open !== undefined) await this.forget(open);
  }

  private segments(): AsyncGenerator<Segment, void, undefined> {
    const { model, survey, options, signal } = this.input;
    const { tokenizer } = model;
    return streamRepository(survey, {
      form: tokenizer.hasRepositoryTokens ? repositoryTokenForm : plainForm,
      neutralize: (text) => tokenizer.neutralize(text),
      maxFileBytes: options.maxFileBytes,
      ...(signal === undefined ? {} : { signal }),
      onFileBegin: (file) => {
        this.opened = file;
      },
      onSkip: (file) => {
        this.skipped.push(file);
      },
      onFileEnd: (file) => {
        this.ended = file;
      },
    });
  }

  /** Index of the next token of the stream, whether the engine must read it or not. */
  private get nextTokenIndex(): number {
    return this.feed.nextTokenIndex - this.known;
  }

  /** The first tokens of what comes now are in the cache. */
  private passOver(open: OpenPart): void {
    this.known = this.input.firstTokenIndex - open.begin;
    this.firstStreamed = open.begin;
    this.input.meter.beginBehind(this.known);
  }

  /** What was open has changed or is gone: its units leave the cache. */
  private async forget({ begin }: OpenPart): Promise<void> {
    const { engine, firstTokenIndex } = this.input;
    await engine.forget([{ begin, end: firstTokenIndex }]);
    this.forgotten = firstTokenIndex - begin;
  }

  private async push({ ids, favoured }: MarkedTokens): Promise<void> {
    const known = Math.min(this.known, ids.length);
    this.known -= known;
    await this.feed.push(ids.subarray(known), favoured.subarray(known));
  }

  private async finishFile(): Promise<void> {
    if (this.current === undefined || this.ended === undefined) return;
    const finished = await this.current.finish(this.ended);
    for (const tokens of finished.rest) await this.push(tokens);
    this.files.push(finished.map);
    this.definitions.add(finished.definitions);
    // A file that became shorter while it was read again has fewer tokens than were read of it before.
    this.known = 0;
    this.input.meter.fileTokenized(this.nextTokenIndex - this.firstStreamed);
    this.current = undefined;
    this.ended = undefined;
  }

  private async keep(): Promise<void> {
    const { keeper, meter } = this.input;
    if (keeper === undefined || this.reached === this.kept) return;
    this.kept = this.reached;
    await keeper.keep(this.partUntil(this.reached), meter.progress());
  }

  /** What was read up to a token. Tokenizing runs ahead of the engine: later files do not count. */
  private partUntil(end: number): ReadPart {
    const files = this.files.filter((file) => file.end <= end);
    const paths = new Set(files.map(({ file }) => file.path));
    const definitions = [...this.definitions].filter(({ path }) => paths.has(path));
    return {
      files,
      definitions: files.length === this.files.length ? this.definitions : DefinitionTable.of(definitions),
      skipped: [...this.skipped],
      open: this.openAt(end),
      forgotten: this.forgotten,
      nextTokenIndex: end,
    };
  }

  /** What the token before `end` is a part of, unless that ends there. */
  private openAt(end: number): OpenPart | undefined {
    const [first = this.current] = this.files;
    const isBeforeFiles = this.input.beginning !== undefined && end < (first?.begin ?? Infinity);
    if (isBeforeFiles) return { file: undefined, begin: 0 };
    const open = this.files.find((file) => file.begin < end && end < file.end) ?? this.current;
    return open !== undefined && open.begin < end ? { file: open.file, begin: open.begin } : undefined;
  }
}

function unmarked(ids: ArrayLike<number>): MarkedTokens {
  return { ids: Int32Array.from(ids), favoured: new Uint8Array(ids.length) };
}

/** Whether a file that was begun is the one that is there now. Its time counts: it may have changed while it was read. */
function isSameFile(begun: RepositoryFile | undefined, now: RepositoryFile | undefined): boolean {
  return (
    begun !== undefined &&
    begun.path === now?.path &&
    begun.hash === now.hash &&
    begun.bytes === now.bytes &&
    begun.modified === now.modified
  );
}

/**
 * Streams files through the model: text is tokenized segment by segment while the engine reads, so that no more than a
 * few segments and one file's text and tokens (for its outline) are held. Where every token stands is taken down. When
 * it is cancelled, what was read up to the last chunk is given to the keeper before the error is thrown.
 * @throws LocretError cancelled, engine-failed
 */
export function readFiles(input: FilesToRead): Promise<ReadPart> {
  return new FilesReading(input).run();
}
