import { type DeepQuestion } from '../answer/ask.js';
import type { Engine } from '../engine/engine.js';
import type { PlannedModel } from '../memory/planning/planned-model.js';
import { readRepository } from '../memory/reading/reading.js';
import type { SurveyOptions } from '../repository/source.js';
import { surveyRepository } from '../repository/survey.js';
import { ProgressBar } from './progress.js';

/** What `read` of a deep question needs: the repository's files, found with a progress bar, and how they are read. */
export async function prepareDeepReading(
  { root, model, plan }: PlannedModel,
  options: SurveyOptions,
  signal: AbortSignal,
): Promise<(engine: Engine) => DeepQuestion['read']> {
  const bar = new ProgressBar();
  const onFile = (filesSeen: number): void => {
    bar.showSurvey(filesSeen);
  };
  let survey;
  try {
    survey = await surveyRepository(root, options, { onFile, signal });
  } finally {
    bar.end();
  }
  return (engine) => async (questionFirst) => {
    try {
      return await readRepository({
        engine,
        model,
        survey,
        options,
        local: plan.local,
        structure: plan.structure,
        questionFirst,
        onProgress: (progress) => {
          bar.show(progress);
        },
        signal,
      });
    } finally {
      bar.end();
    }
  };
}
