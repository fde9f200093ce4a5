import type { Answer } from '../answer/answer.js';
import { askDeep } from '../answer/ask.js';
import type { Question } from '../answer/question.js';
import type { AskParams, AskPartial } from '../contract/answers.js';
import { readRepository } from '../memory/reading/reading.js';
import type { SurveyOptions } from '../repository/source.js';
import { surveyRepository } from '../repository/survey.js';
import type { ChosenSettings } from './settings.js';
import type { LoadedEngine } from './shared-engine.js';

/** A question to the memory of a root. */
export type RootQuestion = Omit<AskParams, 'root'>;

/** How a question is followed, and ended. */
export interface QuestionCall {
  readonly onPartial: (partial: AskPartial) => void;
  readonly signal: AbortSignal;
}

/** The question with what the settings say of answers. */
export function questionOf(
  { question, history, selection }: RootQuestion,
  { recallTokens, temperature, answerTokens }: ChosenSettings,
  { onPartial, signal }: QuestionCall,
): Question {
  return {
    question,
    history,
    selection,
    recallTokens,
    maxTokens: answerTokens,
    sampling: temperature === undefined ? {} : { temperature },
    signal,
    onText: (text) => {
      onPartial({ kind: 'text', text });
    },
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
  readonly call: QuestionCall;
  readonly onFile: (filesSeen: number) => void;
  /** Called when the engine was emptied. */
  readonly onEmptied: () => void;
  /** Puts back what the engine held before, where nothing else does. */
  readonly restore: (() => Promise<void>) | undefined;
}): Promise<Answer> {
  const { loaded, options, question, call, onFile, onEmptied, restore } = deep;
  const { engine } = loaded;
  const { root, model, plan } = loaded.planned;
  const { onPartial, signal } = call;
  onPartial({ kind: 'phase', phase: 'reading' });
  const survey = await surveyRepository(root, options, { signal, onFile });
  return askDeep({
    ...question,
    engine,
    model,
    read: async (questionFirst) => {
      onEmptied();
      const memory = await readRepository({
        engine,
        model,
        survey,
        options,
        local: plan.local,
        structure: plan.structure,
        questionFirst,
        onProgress: (progress) => {
          onPartial({ kind: 'progress', progress });
        },
        signal,
      });
      onPartial({ kind: 'phase', phase: 'answering' });
      return memory;
    },
    restore,
  });
}
