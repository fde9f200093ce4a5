import { throwIfCancelled } from '../errors.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import type { LoadedModel } from '../model/model.js';
import { promptFrame } from '../model/prompt-frame.js';
import { defaultMaxTokens } from './generation.js';
import { planPrompt, type PromptPlan } from './prompt.js';
import { questionTextOf, type Question } from './question.js';
import { checkSelection } from './selection.js';

/** A question, and the room that there is for it and its answer, before anything is looked up or read. */
export interface PreparedQuestion {
  readonly asked: Question;
  readonly text: string;
  /** The question by itself, up to where the answer begins. */
  readonly tokens: readonly number[];
  /** Cache units behind the memory. */
  readonly room: number;
  /** Token indices from here on are not the memory's. */
  readonly memoryEnd: number;
  readonly prompt: PromptPlan;
}

/** Tokens of a question by itself, as the last thing that the model reads. */
export function questionTokens(model: LoadedModel, question: string): readonly number[] {
  const { tokenizer } = model;
  return tokenizer.encode(promptFrame(model).after([{ role: 'user', content: tokenizer.neutralize(question) }]));
}

/** Cache units that a model can attend to. */
export function windowOf({ locret, shape }: LoadedModel): number {
  return locret.window ?? shape.maxPositions;
}

/**
 * Checks a question and shares out the room behind the memory.
 * @throws LocretError question-too-long, invalid-argument, cancelled
 */
export async function prepareQuestion(memory: RepositoryMemory, asked: Question): Promise<PreparedQuestion> {
  const { engine, model } = memory;
  const text = questionTextOf(asked);
  if (asked.selection !== undefined) checkSelection(asked.selection);
  throwIfCancelled(asked.signal, 'The question');
  const { length, nextTokenIndex } = await engine.mark();
  const window = windowOf(model);
  const room = Math.min(engine.description.plan.capacity, window) - length;
  const frame = promptFrame(model);
  const prompt = planPrompt({
    tokenizer: model.tokenizer,
    after: (messages) => frame.after(messages),
    question: text,
    history: asked.history ?? [],
    room,
    window,
    maxTokens: asked.maxTokens ?? defaultMaxTokens,
    recallTokens: asked.recallTokens ?? model.locret.recall,
  });
  return { asked, text, tokens: questionTokens(model, text), room, memoryEnd: nextTokenIndex, prompt };
}
