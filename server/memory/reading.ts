import type { Engine } from '../engine/engine.js';
import type { LoadedModel } from '../model/model.js';
import type { Survey, SurveyOptions } from '../repository/source.js';
import type { ReadProgress } from './memory.js';
import { beginningTokens, promptFrame } from './prompt-frame.js';
import { readFiles } from './read-files.js';
import { ReadMemory } from './repository-memory.js';
import { SourceMap } from './source-map.js';

export interface ReadingInput {
  /** Emptied before reading. */
  readonly engine: Engine;
  readonly model: LoadedModel;
  readonly survey: Survey;
  readonly options: SurveyOptions;
  /** Last tokens of the repository that are not evicted (n_loc). */
  readonly local: number;
  /** A question that stands before the repository, so that what is kept may depend on it. */
  readonly questionFirst?: string;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a whole repository into an engine's cache, in fixed memory.
 * @throws LocretError cancelled, engine-failed
 */
export async function readRepository(input: ReadingInput): Promise<ReadMemory> {
  const { engine, model, survey, options, local, questionFirst } = input;
  const started = performance.now();
  const frame = promptFrame(model);
  const text = questionFirst === undefined ? frame.before : frame.beforeWithQuestion(questionFirst);
  await engine.reset();
  const { files, definitions, skipped, nextTokenIndex } = await readFiles({
    engine,
    model,
    survey,
    options,
    beginning: beginningTokens(model, text),
    local,
    firstTokenIndex: 0,
    onProgress: input.onProgress,
    signal: input.signal,
  });
  const content = {
    survey,
    options,
    map: new SourceMap(files),
    definitions,
    skipped,
    tokensRead: nextTokenIndex,
    nextTokenIndex,
  };
  return new ReadMemory(engine, model, content, 'read', (performance.now() - started) / 1000);
}
