import type { ChangedFile, FileRetention, SkippedFile } from '../../contract/contents.js';
import type { Engine } from '../../engine/engine.js';
import { LocretError } from '../../errors.js';
import type { LoadedModel } from '../../model/model.js';
import type { Definition, Survey, SurveyOptions } from '../../repository/source.js';
import type { DefinitionTable } from './definition-table.js';
import { DiskChanges, type ReadSources } from './disk-changes.js';
import type { Coverage, FileTokens, RepositoryMemory, SourcePosition } from './memory.js';
import { RetentionMap } from './retention-map.js';
import type { SourceMap } from './source-map.js';

/** What a memory consists of besides the engine's cache. */
export interface MemoryContent {
  readonly survey: Survey;
  /** By which rules the survey was made. */
  readonly options: SurveyOptions;
  readonly map: SourceMap;
  readonly definitions: DefinitionTable;
  /** Files of the survey that turned out not to be readable. */
  readonly skipped: readonly SkippedFile[];
  readonly tokensRead: number;
  readonly nextTokenIndex: number;
  /** When it was read or last updated, milliseconds since 1970. */
  readonly made: number;
}

/** What of a memory is compared with the disk. */
export function sourcesOf({ survey, options, map }: MemoryContent): ReadSources {
  return { survey, options, files: map.files.map(({ file }) => file) };
}

/** A repository in an engine's cache, and what the cache units stand for. */
export class ReadMemory implements RepositoryMemory {
  /** Written out when somebody first asks, not while reading. */
  private listed: readonly Definition[] | undefined;
  private retained: Promise<RetentionMap> | undefined;

  constructor(
    readonly engine: Engine,
    readonly model: LoadedModel,
    readonly content: MemoryContent,
    readonly source: RepositoryMemory['source'],
    readonly seconds: number,
    readonly disk = new DiskChanges(sourcesOf(content)),
  ) {}

  get survey(): Survey {
    return this.content.survey;
  }

  get files(): readonly FileTokens[] {
    return this.content.map.files;
  }

  get definitions(): readonly Definition[] {
    this.listed ??= [...this.content.definitions];
    return this.listed;
  }

  get tokensRead(): number {
    return this.content.tokensRead;
  }

  get made(): number {
    return this.content.made;
  }

  locate(tokenIndex: number): SourcePosition | undefined {
    return this.content.map.locate(tokenIndex);
  }

  coverage(): Coverage {
    const { map, survey, skipped, tokensRead } = this.content;
    const { changed } = this.disk;
    return { filesRead: map.files.length, tokensRead, skipped: [...survey.skipped, ...skipped], changed };
  }

  async detectChanges(signal?: AbortSignal): Promise<readonly ChangedFile[]> {
    return (await this.disk.compare(signal)).changed;
  }

  changesMissed(paths: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.disk.missed(paths, signal);
  }

  /**
   * Asks the engine which units it keeps, once, while it holds this memory; from then on retention is told without it,
   * also while the engine holds another memory.
   */
  async rememberRetention(): Promise<void> {
    await this.retentionMap();
  }

  async retention(): Promise<readonly FileRetention[]> {
    return (await this.retentionMap()).files(this.content.map);
  }

  async lineRetention(path: string): Promise<Float32Array> {
    const file = this.content.map.files.find((candidate) => candidate.file.path === path);
    if (file !== undefined) return (await this.retentionMap()).lines(file);
    throw new LocretError('invalid-argument', `${path} is not in the memory.`, 'Name a file that was read.');
  }

  private retentionMap(): Promise<RetentionMap> {
    this.retained ??= this.askForRetention().catch((error: unknown) => {
      this.retained = undefined;
      throw error;
    });
    return this.retained;
  }

  private async askForRetention(): Promise<RetentionMap> {
    const { layers, kvHeads } = this.engine.description.shape;
    return new RetentionMap(await this.engine.keptUnits(), layers.length * kvHeads);
  }
}
