import type { Engine } from '../engine/engine.js';
import type { LoadedModel } from '../model/model.js';
import { outlineSource } from '../repository/outline.js';
import type { Definition, RepositoryFile, SkippedFile, Survey, SurveyOptions } from '../repository/source.js';
import { type Segment, streamRepository } from '../repository/stream.js';
import { plainForm, repositoryTokenForm } from '../repository/text-form.js';
import { ProgressMeter } from './progress-meter.js';
import { DefinitionTable } from './definition-table.js';
import type { ReadProgress } from './memory.js';
import { type FileMap, FileMapBuilder } from './source-map.js';
import { TokenFeed } from './token-feed.js';

/** Files to be read into an engine behind what it holds. */
export interface FilesToRead {
  readonly engine: Engine;
  readonly model: LoadedModel;
  /** The files, in order. */
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** Tokens before the repository; undefined: the files continue a memory, without the repository's header. */
  readonly beginning: readonly number[] | undefined;
  /** Last tokens that are not evicted. */
  readonly local: number;
  readonly firstTokenIndex: number;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was read of them. */
export interface FilesRead {
  readonly files: readonly FileMap[];
  readonly definitions: DefinitionTable;
  /** Files that turned out not to be readable. */
  readonly skipped: readonly SkippedFile[];
  readonly nextTokenIndex: number;
}

/** Longer texts are not held for an outline: none is made of them. UTF-16 units. */
const longestOutlined = 4 << 20;

/** Takes down one file while its segments pass. */
class FileInProgress {
  private readonly map: FileMapBuilder;
  /** Undefined when no outline is to be made. */
  private text: string | undefined;

  constructor(file: RepositoryFile, begin: number) {
    this.map = new FileMapBuilder(begin);
    this.text = file.language === undefined ? undefined : '';
  }

  add(segment: Segment, starts: Int32Array): void {
    if (segment.kind === 'header') {
      this.map.addHeader(starts.length);
      return;
    }
    this.map.add(segment.text, starts, segment.line, segment.column);
    if (this.text === undefined) return;
    this.text = this.text.length + segment.text.length > longestOutlined ? undefined : this.text + segment.text;
  }

  async finish(file: RepositoryFile): Promise<{ map: FileMap; definitions: readonly Definition[] }> {
    const definitions = this.text === undefined ? [] : await outlineSource(file, this.text);
    return { map: this.map.finish(file), definitions };
  }
}

/**
 * Streams files through the model: text is tokenized segment by segment while the engine reads, so that no more than a
 * few segments and one file's text (for its outline) are held. Where every token stands is taken down.
 * @throws LocretError cancelled, engine-failed
 */
export async function readFiles(input: FilesToRead): Promise<FilesRead> {
  const { engine, model, survey, options, signal } = input;
  const { tokenizer } = model;
  const meter = new ProgressMeter(survey, input.onProgress);
  const feed = new TokenFeed(
    engine,
    input.local,
    input.firstTokenIndex,
    ({ end }) => {
      meter.engineRead(end - input.firstTokenIndex);
    },
    signal,
  );
  const files: FileMap[] = [];
  const definitions = new DefinitionTable();
  const skipped: SkippedFile[] = [];
  let current: FileInProgress | undefined;
  let ended: RepositoryFile | undefined;
  const finishFile = async (): Promise<void> => {
    if (current === undefined || ended === undefined) return;
    const finished = await current.finish(ended);
    files.push(finished.map);
    definitions.add(finished.definitions);
    meter.fileTokenized(feed.nextTokenIndex - input.firstTokenIndex);
    current = undefined;
    ended = undefined;
  };
  try {
    await feed.push(input.beginning ?? []);
    const segments = streamRepository(survey, {
      form: tokenizer.hasRepositoryTokens ? repositoryTokenForm : plainForm,
      neutralize: (text) => tokenizer.neutralize(text),
      maxFileBytes: options.maxFileBytes,
      ...(signal === undefined ? {} : { signal }),
      onSkip: (file) => {
        skipped.push(file);
      },
      onFileEnd: (file) => {
        ended = file;
      },
    });
    for await (const segment of segments) {
      await finishFile();
      if (segment.file === undefined && input.beginning === undefined) continue;
      const { ids, starts } = tokenizer.encodeWithStarts(segment.text);
      if (segment.file !== undefined) {
        current ??= new FileInProgress(segment.file, feed.nextTokenIndex);
        current.add(segment, starts);
      }
      meter.segmentTokenized(segment.text.length, ids.length);
      await feed.push(ids);
    }
    await finishFile();
    await feed.finish();
  } finally {
    await feed.settle();
  }
  meter.finish();
  return { files, definitions, skipped, nextTokenIndex: feed.nextTokenIndex };
}
