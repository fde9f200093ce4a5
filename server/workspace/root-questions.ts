import type { ReadProgress } from '../contract/roots.js';
import type { Answer } from '../answer/answer.js';
import type { Question } from '../answer/answer-question.js';
import { askDeep } from '../answer/ask.js';
import { readRepository } from '../memory/reading/reading.js';
import type { AskPartial } from '../contract/protocol.js';
import type { SurveyOptions } from '../repository/source.js';
import { surveyRepository } from '../repository/survey.js';
import type { ChosenSettings } from './settings.js';
import type { LoadedEngine } from './shared-engine.js';

/** A question to the memory of a root. */
export interface RootQuestion extends Pick<Question, 'question' | 'history' | 'selection'> {
  /** The repository is read again with the question first. */
  readonly deep: boolean;
  readonly onPartial: (partial: AskPartial) => void;
}

/** The question with what the settings say of answers. */
export function questionOf(asked: RootQuestion, settings: ChosenSettings, signal: AbortSignal): Question {
  const { recallTokens, temperature, answerTokens } = settings;
  const { question, history, selection, onPartial } = asked;
  return {
    question,
    maxTokens: answerTokens,
    signal,
    onText: (text) => {
      onPartial({ kind: 'text', text });
    },
    ...(history === undefined ? {} : { history }),
    ...(selection === undefined ? {} : { selection }),
    ...(recallTokens === undefined ? {} : { recallTokens }),
    ...(temperature === undefined ? {} : { sampling: { temperature } }),
  };
}

/**
 * Answers a question by streaming a repository with the question first. The engine holds that reading afterwards.
 * @throws LocretError what {@link surveyRepository} and {@link askDeep} throw
 */
export async function answerDeep(deep: {
  readonly loaded: LoadedEngine;
  readonly options: SurveyOptions;
  readonly question: Question;
  readonly onPartial: (partial: AskPartial) => void;
  /** Called before the engine is emptied. */
  readonly onEmptied: () => void;
  readonly signal: AbortSignal;
}): Promise<Answer> {
  const { loaded, options, question, onPartial, onEmptied, signal } = deep;
  const { engine } = loaded;
  const { root, model, plan } = loaded.planned;
  onPartial({ kind: 'phase', phase: 'reading' });
  const survey = await surveyRepository(root, options, { signal });
  const onProgress = (progress: ReadProgress): void => {
    onPartial({ kind: 'progress', progress });
  };
  return askDeep({
    ...question,
    engine,
    model,
    read: async (questionFirst) => {
      onEmptied();
      const { local, structure } = plan;
      const reading = { engine, model, survey, options, local, structure, questionFirst, onProgress, signal };
      const memory = await readRepository(reading);
      onPartial({ kind: 'phase', phase: 'answering' });
      return memory;
    },
  });
}
