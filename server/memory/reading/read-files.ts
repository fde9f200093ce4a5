import type { StructureName } from '../../contract/words.js';
import type { Engine } from '../../engine/engine.js';
import { isLocretError } from '../../errors.js';
import type { LoadedModel } from '../../model/model.js';
import type { RepositoryFile, Survey, SurveyOptions } from '../../repository/source.js';
import { FileInProgress } from './file-in-progress.js';
import type { Keeper, OpenPart, ReadPart } from './partial-reading.js';
import type { ProgressMeter } from './progress-meter.js';
import { ReadTable } from './read-table.js';
import { ReadingSaver } from './reading-saver.js';
import { streamTokens } from './stream-tokens.js';
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

/** Whether a file that was begun is the one that is there now. Its time counts: it may have changed while it was read. */
function isSameFile(begun: RepositoryFile, now: RepositoryFile): boolean {
  return (
    begun.path === now.path && begun.hash === now.hash && begun.bytes === now.bytes && begun.modified === now.modified
  );
}

/** Feeds the files' tokens to the engine, and takes down where they stand. */
async function feedFiles(input: FilesToRead, feed: TokenFeed, table: ReadTable): Promise<void> {
  const { engine, model, survey, options, beginning, structure, firstTokenIndex, meter, signal } = input;
  /** The first tokens of what comes now are in the cache. */
  const passOver = ({ begin }: OpenPart): void => {
    feed.passOver(begin);
    meter.beginBehind(firstTokenIndex - begin);
  };
  /** What was open has changed or is gone: its units leave the cache. */
  const forget = async ({ begin }: OpenPart): Promise<void> => {
    await engine.forget([{ begin, end: firstTokenIndex }]);
    table.forget(firstTokenIndex - begin);
  };

  let { open } = input;
  if (open !== undefined && open.file === undefined) {
    passOver(open);
    open = undefined;
  }
  await feed.push(Int32Array.from(beginning ?? []));
  let current: FileInProgress | undefined;
  for await (const event of streamTokens(model.tokenizer, {
    survey,
    options,
    hasHeader: beginning !== undefined,
    signal,
  })) {
    switch (event.kind) {
      case 'skipped':
        table.skip(event.file);
        break;
      case 'opened':
        if (open?.file !== undefined && isSameFile(open.file, event.file)) passOver(open);
        else if (open !== undefined) await forget(open);
        open = undefined;
        current = new FileInProgress(event.file, feed.nextTokenIndex, structure);
        table.open(current);
        break;
      case 'tokens':
        current?.add(event.segment, event.ids, event.starts);
        meter.segmentTokenized(event.segment.text.length, event.ids.length);
        if (current === undefined) await feed.push(event.ids);
        else for (const { ids, favoured } of current.take()) await feed.push(ids, favoured);
        break;
      case 'read': {
        if (current === undefined) break;
        const finished = await current.finish(event.file);
        for (const { ids, favoured } of finished.rest) await feed.push(ids, favoured);
        table.add(finished);
        // A file that became shorter while it was read again has fewer tokens than were read of it before.
        feed.endPassingOver();
        meter.fileTokenized(feed.nextTokenIndex - feed.begin);
        current = undefined;
      }
    }
  }
  if (open !== undefined) await forget(open);
}

/**
 * Streams files through the model: text is tokenized segment by segment while the engine reads, so that no more than a
 * few segments and one file's text and tokens (for its outline) are held. Where every token stands is taken down. When
 * it is cancelled, what was read up to the last chunk is given to the keeper before the error is thrown.
 * @throws LocretError cancelled, engine-failed
 */
export async function readFiles(input: FilesToRead): Promise<ReadPart> {
  const { engine, local, firstTokenIndex, meter, signal } = input;
  const table = new ReadTable(input.beginning !== undefined);
  const saver = new ReadingSaver(input.keeper, table, meter, firstTokenIndex);
  const feed = new TokenFeed({
    engine,
    local,
    firstTokenIndex,
    onChunk: ({ end }) => {
      saver.reach(end);
      meter.engineRead(end - feed.begin);
    },
    betweenCalls: () => saver.keepWhenDue(),
    signal,
  });
  try {
    await feedFiles(input, feed, table);
    await feed.finish();
  } catch (error) {
    await feed.settle();
    if (isLocretError(error, 'cancelled')) await saver.keep();
    throw error;
  }
  meter.finish();
  return table.partUntil(feed.nextTokenIndex);
}
