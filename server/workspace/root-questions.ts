import type { Answer } from '../answer/answer.js';
import { askDeep, askMemory } from '../answer/ask.js';
import { questionTextOf, type Question } from '../answer/question.js';
import type { AskParams, AskPartial } from '../contract/answers.js';
import type { MemorySettings } from '../memory/open-memory.js';
import type { PlannedModel } from '../memory/planning/planned-model.js';
import { readRepository } from '../memory/reading/reading.js';
import { surveyRepository } from '../repository/survey.js';
import type { HeldMemory, MemoryState } from './memory-state.js';
import type { Operation } from './operation-queue.js';
import { putAside } from './put-aside.js';
import type { ChosenSettings } from './settings.js';
import type { Occupant } from './shared-engine.js';
import type { Surroundings } from './surroundings.js';

/** A question to the memory of a root. */
export type RootQuestion = Omit<AskParams, 'root'>;

/** How a question is followed, and ended. */
export interface QuestionCall {
  readonly onPartial: (partial: AskPartial) => void;
  readonly signal: AbortSignal;
}

/** The question with what the settings say of answers. */
function questionOf(
  { question, history, selection }: RootQuestion,
  settings: ChosenSettings,
  { onPartial, signal }: QuestionCall,
): Question {
  return {
    question,
    history,
    selection,
    recallTokens: settings.recallTokens,
    maxTokens: settings.answerTokens,
    sampling: settings,
    stop: settings.stop,
    signal,
    onText: (text) => {
      onPartial({ kind: 'text', text });
    },
  };
}

/** What asking needs of a root. */
export interface AskedRoot extends Occupant {
  readonly state: MemoryState;
  /** True when a question can be answered without reading: at most a snapshot has to be restored. */
  readonly isOpen: boolean;
  open(how: { readonly fresh?: boolean }, signal: AbortSignal): Promise<void>;
  plan(): Promise<{ readonly planned: PlannedModel; readonly settings: MemorySettings }>;
  /** The memory in the engine: restored where another root's was there. */
  inEngine(signal: AbortSignal): Promise<HeldMemory>;
  run<Result>(operation: Operation<Result>): Promise<Result>;
  readonly notice: (text: string) => void;
}

/**
 * Answers a question to a root, after opening its memory where it is not open.
 * @throws LocretError what opening, {@link askMemory} and {@link askDeep} throw; cancelled
 */
export async function askRoot(
  root: AskedRoot,
  surroundings: Surroundings,
  asked: RootQuestion,
  { onPartial, signal }: QuestionCall,
): Promise<Answer> {
  questionTextOf(asked);
  const isDeep = asked.mode === 'deep';
  if (!isDeep && !root.isOpen) {
    onPartial({ kind: 'phase', phase: 'opening' });
    await root.open({}, signal);
  }
  if (surroundings.queue.isBusy) onPartial({ kind: 'phase', phase: 'waiting' });
  return root.run({
    name: 'The question',
    signal,
    task: (ends) => {
      const call = { onPartial, signal: ends };
      const question = questionOf(asked, surroundings.settings(), call);
      return root.state.answering(() =>
        isDeep ? answerDeep(root, surroundings, question, call) : answerFromMemory(root, question, call),
      );
    },
  });
}

async function answerFromMemory(root: AskedRoot, question: Question, call: QuestionCall): Promise<Answer> {
  const { memory } = await root.inEngine(call.signal);
  call.onPartial({ kind: 'phase', phase: 'answering' });
  return askMemory(memory, question);
}

/** Answers a question by streaming the repository with the question first. The engine holds that reading afterwards. */
async function answerDeep(
  root: AskedRoot,
  { engine: shared, onFile }: Surroundings,
  question: Question,
  { onPartial, signal }: QuestionCall,
): Promise<Answer> {
  const { planned, settings } = await root.plan();
  const { model, plan } = planned;
  if (shared.current === undefined) plan.notices.forEach(root.notice);
  const { engine } = await shared.load(settings, root.notice);
  // Otherwise the memory comes back from its snapshot when it is next needed.
  const putBack = shared.isHeldBy(root) && !root.state.hasSnapshot ? await putAside(engine) : undefined;
  onPartial({ kind: 'phase', phase: 'reading' });
  const survey = await surveyRepository(planned.root, settings.survey, { signal, onFile });
  return askDeep({
    ...question,
    engine,
    model,
    read: async (questionFirst) => {
      shared.give(undefined);
      const memory = await readRepository({
        engine,
        model,
        survey,
        options: settings.survey,
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
    restore:
      putBack &&
      (async () => {
        await putBack();
        shared.give(root);
      }),
  });
}
