import type { Engine } from '../engine/engine.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import { promptFrame } from '../model/prompt-frame.js';
import type { LoadedModel } from '../model/model.js';
import type { Answer } from './answer.js';
import { answerQuestion, questionTextOf, type Question } from './answer-question.js';
import { questionFits } from './prompt.js';

const busy = new WeakMap<Engine, Promise<unknown>>();

/** Questions to one engine wait for each other: they share its cache. */
function oneAtATime<Result>(engine: Engine, task: () => Promise<Result>): Promise<Result> {
  const result = (busy.get(engine) ?? Promise.resolve()).then(task);
  busy.set(
    engine,
    result.catch(() => undefined),
  );
  return result;
}

/**
 * Answers a question from a memory and leaves the memory as it was.
 *
 * @throws LocretError question-too-long, invalid-argument (an empty question), cancelled, engine-failed
 */
export function askMemory(memory: RepositoryMemory, question: Question): Promise<Answer> {
  return oneAtATime(memory.engine, () => answerQuestion(memory, question));
}

/** A question for which the repository is read anew. */
export interface DeepQuestion extends Question {
  readonly engine: Engine;
  readonly model: LoadedModel;
  /** Reads the repository into the engine, which was emptied, behind the question. */
  readonly read: (questionFirst: string) => Promise<RepositoryMemory>;
  /** Puts back what the engine held before; called once, after the answer or an error. */
  readonly restore?: () => Promise<void>;
}

/**
 * Answers a question by streaming the repository with the question first (the paper's Locret-Q, section 4.4), so that
 * what is kept may depend on it.
 *
 * The same engine is used: a second one would hold the weights and a cache twice and take longer to load than a memory
 * takes to come back from its snapshot. Other questions wait until `restore` is through.
 *
 * @throws LocretError question-too-long before anything is read; what `read` throws; what {@link askMemory} throws
 */
export function askDeep(deep: DeepQuestion): Promise<Answer> {
  const { engine, model, read, restore } = deep;
  return oneAtATime(engine, async () => {
    const question = questionTextOf(deep);
    const { budget, capacity } = engine.description.plan;
    const room = Math.min(capacity, model.locret.window ?? model.shape.maxPositions) - Math.min(budget, capacity);
    const frame = promptFrame(model);
    questionFits(model.tokenizer, (messages) => frame.after([...messages]), question, room, deep.maxTokens);
    try {
      await engine.reset();
      return { ...(await answerQuestion(await read(question), deep)), mode: 'deep' };
    } finally {
      await restore?.();
    }
  });
}
