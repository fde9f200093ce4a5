import type { ReadProgress } from '../../contract/roots.js';
import type { StructureName } from '../../contract/words.js';
import type { Engine } from '../../engine/engine.js';
import type { LoadedModel } from '../../model/model.js';
import type { Survey, SurveyOptions } from '../../repository/source.js';
import { joinReading, type Keeper, nothingRead, type PartialReading, readOn } from './partial-reading.js';
import { ProgressMeter } from './progress-meter.js';
import { beginningTokens, promptFrame } from '../../model/prompt-frame.js';
import { readFiles } from './read-files.js';
import { ReadMemory } from '../contents/repository-memory.js';

export interface ReadingInput {
  /** Emptied before reading, unless a partial reading goes on: then it holds the cache of that. */
  readonly engine: Engine;
  readonly model: LoadedModel;
  /** The repository as it is now. */
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** Last tokens of the repository that are not evicted (n_loc). */
  readonly local: number;
  /** What stays before all else; default: nothing. */
  readonly structure?: StructureName;
  /** A question that stands before the repository, so that what is kept may depend on it. */
  readonly questionFirst?: string;
  /** A reading of this repository that was interrupted, to go on with. */
  readonly partial?: PartialReading | undefined;
  readonly keeper?: Keeper<PartialReading> | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a whole repository into an engine's cache, in fixed memory. A reading that goes on where it was interrupted ends
 * with the same memory, bit by bit, as one that was not, unless files changed in between: those that were read whole stay
 * as they were and are found by `detectChanges`; one that was read in part is forgotten and read from its beginning.
 *
 * When it is cancelled, what was read up to the last chunk is given to the keeper before the error is thrown.
 * @throws LocretError cancelled, engine-failed
 */
export async function readRepository(input: ReadingInput): Promise<ReadMemory> {
  const { engine, model, options, questionFirst, partial = nothingRead, keeper } = input;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const { survey, rest, before } = readOn(partial, input.survey);
  const frame = promptFrame(model);
  const text = questionFirst === undefined ? frame.before : frame.beforeWithQuestion(questionFirst);
  const { map, open, nextTokenIndex } = before;
  const isPastHeader = nextTokenIndex > 0 && (open === undefined || open.file !== undefined);
  const meter = new ProgressMeter({ files: survey.files.length, bytes: survey.bytes }, input.onProgress, {
    files: map.files.length,
    bytes: map.files.reduce((sum, { file }) => sum + file.bytes, 0),
    tokens: before.tokensRead - (open === undefined ? 0 : nextTokenIndex - open.begin),
  });
  if (nextTokenIndex === 0) await engine.reset();
  const part = await readFiles({
    engine,
    model,
    survey: { ...survey, files: rest },
    options,
    beginning: isPastHeader ? undefined : beginningTokens(model, text),
    local: input.local,
    structure: input.structure ?? 'none',
    firstTokenIndex: nextTokenIndex,
    open,
    meter,
    keeper: keeper && {
      isDue: () => keeper.isDue(),
      keep: (read, progress) => keeper.keep(joinReading(before, read, seconds()), progress),
    },
    signal: input.signal,
  });
  const whole = joinReading(before, part, seconds());
  const content = {
    survey,
    options,
    map: whole.map,
    definitions: whole.definitions,
    skipped: whole.skipped,
    tokensRead: whole.tokensRead,
    nextTokenIndex: whole.nextTokenIndex,
    made: Date.now(),
  };
  return new ReadMemory(engine, model, content, 'read', whole.seconds);
}
