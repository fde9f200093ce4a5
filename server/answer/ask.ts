import type { AnswerTimings, MemoryFacts } from '../contract/answers.js';
import type { Engine } from '../engine/engine.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import type { LoadedModel } from '../model/model.js';
import { promptFrame } from '../model/prompt-frame.js';
import { outlineSource } from '../repository/outline.js';
import type { Answer } from './answer.js';
import { searchChanges } from './changes-seen.js';
import { citeAnswer } from './cite.js';
import { CurrentFiles } from './current-files.js';
import { generateAnswer, type GeneratedAnswer } from './generate.js';
import { answerNotices, linkNotices } from './notices.js';
import { prepareQuestion, windowOf } from './prepare.js';
import { questionFits } from './prompt.js';
import { questionTextOf, type Question } from './question.js';
import { recallFor, recallOf } from './recall.js';

/**
 * Answers a question from a memory and leaves the memory as it was. The caller sees to it that nothing else uses the
 * engine meanwhile.
 *
 * Names of the question are looked up in the outline; the question is read once over the memory to see what it attends
 * to; the definitions found so are re-read from disk behind the memory; then the conversation, then the answer. Links
 * are checked against the files as they are now.
 *
 * @throws LocretError question-too-long, invalid-argument (an empty question), cancelled, engine-failed
 */
export async function askMemory(memory: RepositoryMemory, asked: Question): Promise<Answer> {
  const start = performance.now();
  const prepared = await prepareQuestion(memory, asked);
  const changes = searchChanges(memory, asked.signal);
  const files = new CurrentFiles(memory.survey, memory.definitions, outlineSource, asked.selection?.path);
  const recalled = await recallFor(memory, prepared, files, changes.ended);
  const recalledAt = performance.now();
  const generated = await generateAnswer(memory, prepared, recalled);
  const { citations, unfounded, dropped } = await citeAnswer(memory, files, recalled, generated);
  const ofChanges = await changes.notices(files);
  return {
    mode: 'memory',
    text: generated.text,
    citations,
    coverage: memory.coverage(),
    recall: recallOf(recalled, prepared.prompt.recallTokens),
    timings: timingsOf(start, recalledAt, generated),
    memory: await factsOf(memory),
    end: generated.end,
    notices: [
      ...prepared.prompt.notices,
      ...recalled.selection.notices,
      ...answerNotices(generated),
      ...linkNotices(unfounded, dropped),
      ...ofChanges,
    ],
  };
}

function timingsOf(start: number, recalledAt: number, generated: GeneratedAnswer): AnswerTimings {
  const { promptTokens, tokens, answeredAt, firstTokenAt = answeredAt } = generated;
  const decodeSeconds = (answeredAt - firstTokenAt) / 1000;
  return {
    recallSeconds: (recalledAt - start) / 1000,
    firstTokenSeconds: (firstTokenAt - start) / 1000,
    totalSeconds: (performance.now() - start) / 1000,
    promptTokens,
    answerTokens: tokens,
    tokensPerSecond: decodeSeconds > 0 ? Math.max(0, tokens - 1) / decodeSeconds : 0,
  };
}

async function factsOf(memory: RepositoryMemory): Promise<MemoryFacts> {
  const { engine, model } = memory;
  const { length, cacheBytes, weightBytes } = await engine.stats();
  return {
    model: model.name,
    source: memory.source,
    seconds: memory.seconds,
    tokensRead: memory.tokensRead,
    units: length,
    cacheBytes,
    weightBytes,
    policy: engine.description.policy,
    precision: engine.description.precision,
  };
}

/** A question for which the repository is read anew. */
export interface DeepQuestion extends Question {
  readonly engine: Engine;
  readonly model: LoadedModel;
  /** Reads the repository into the engine, which was emptied, behind the question. */
  readonly read: (questionFirst: string) => Promise<RepositoryMemory>;
  /** Puts back what the engine held before; called once, after the answer or an error. */
  readonly restore?: (() => Promise<void>) | undefined;
}

/**
 * Answers a question by streaming the repository with the question first (the paper's Locret-Q, section 4.4), so that
 * what is kept may depend on it.
 *
 * The same engine is used: a second one would hold the weights and a cache twice and take longer to load than a memory
 * takes to come back from its snapshot. The caller sees to it that nothing else uses it until `restore` is through.
 *
 * @throws LocretError question-too-long before anything is read; what `read` throws; what {@link askMemory} throws
 */
export async function askDeep(deep: DeepQuestion): Promise<Answer> {
  const { engine, model, read, restore } = deep;
  const question = questionTextOf(deep);
  const { budget, capacity } = engine.description.plan;
  const room = Math.min(capacity, windowOf(model)) - Math.min(budget, capacity);
  const frame = promptFrame(model);
  questionFits(model.tokenizer, (messages) => frame.after(messages), question, room, deep.maxTokens);
  try {
    await engine.reset();
    return { ...(await askMemory(await read(question), deep)), mode: 'deep' };
  } finally {
    await restore?.();
  }
}
