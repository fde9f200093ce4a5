import type { AttentionMass, Engine, Sampling } from '../engine/engine.js';
import { LocretError, messageOf, throwIfCancelled } from '../errors.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import { promptFrame } from '../model/prompt-frame.js';
import { outlineSource } from '../repository/outline.js';
import type { Answer, MemoryFacts } from './answer.js';
import { rankByAttention, type AttentionRanking } from './attention-ranking.js';
import { collectCitations } from './citations.js';
import type { Turn } from './conversation.js';
import { CurrentFiles } from './current-files.js';
import { defaultMaxTokens, generateText, resolveSampling } from './generation.js';
import { NameIndex } from './name-index.js';
import { lookUpInChangedFiles, lookUpNames } from './name-lookup.js';
import { answerNotices, changeNotices, linkNotices } from './notices.js';
import { planPrompt } from './prompt.js';
import { selectRecall } from './recall.js';
import { checkSelection, type SelectedLines } from './selection.js';

/** A question and how it is to be answered. */
export interface Question {
  readonly question: string;
  /** Earlier turns about the same memory, oldest first. */
  readonly history?: readonly Turn[];
  /** Lines that the question is about; they stand right before it. */
  readonly selection?: SelectedLines;
  /**
   * Tokens for definitions that are re-read; 0 switches recall off; default: what the model's locret.json says, or an
   * eighth of its window.
   */
  readonly recallTokens?: number;
  /** Longest answer, in tokens. */
  readonly maxTokens?: number;
  /** What is given; the model's generation settings and the product's defaults (greedy) fill the rest. */
  readonly sampling?: Partial<Sampling>;
  /** Texts that end the answer. */
  readonly stop?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called with each piece of the answer as it comes. */
  readonly onText?: (text: string) => void;
}

/** @throws LocretError invalid-argument when there is nothing asked */
export function questionTextOf({ question }: Question): string {
  const text = question.trim();
  if (text !== '') return text;
  throw new LocretError('invalid-argument', 'The question is empty.', 'Ask something, in words or by a name.');
}

/** Asks for nothing in particular: what it attends to, every question attends to. */
const neutralQuestion = 'Please say something about this.';

const neutralAttention = new WeakMap<RepositoryMemory, AttentionMass>();

/** Runs a task and takes back everything it appended to the cache, whether it succeeds or fails. */
async function leavingNoTrace<Result>(engine: Engine, task: () => Promise<Result>): Promise<Result> {
  const mark = await engine.mark();
  let result: Result;
  try {
    result = await task();
  } catch (error) {
    // An engine that failed cannot rewind either; the first error is the one to tell.
    await engine.rewind(mark).catch(() => undefined);
    throw error;
  }
  await engine.rewind(mark);
  return result;
}

/** The attention that a question pays to the memory, without leaving a trace in it; undefined when there is no room. */
async function observeQuestion(
  memory: RepositoryMemory,
  tokens: readonly number[],
  room: number,
  signal: AbortSignal | undefined,
): Promise<AttentionMass | undefined> {
  const { engine } = memory;
  if (tokens.length > room) return undefined;
  const observe = Math.min(tokens.length, engine.description.plan.chunk);
  const { attention } = await leavingNoTrace(engine, () =>
    engine.extend(tokens, { evict: 'none', observe, ...(signal === undefined ? {} : { signal }) }),
  );
  return attention;
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

/**
 * Answers a question from a memory and leaves the memory as it was. The caller sees to it that nothing else uses the
 * engine meanwhile.
 *
 * Names of the question are looked up in the outline; where the model's attention is said to tell where things are, the
 * question is read once over the memory to see what it attends to; the definitions found so are re-read from disk behind the memory; then the conversation, then the answer. Links
 * are checked against the files as they are now.
 *
 * @throws LocretError question-too-long, invalid-argument (an empty question), cancelled, engine-failed
 */
export async function answerQuestion(memory: RepositoryMemory, asked: Question): Promise<Answer> {
  const start = performance.now();
  const { engine, model } = memory;
  const { tokenizer } = model;
  const { signal, selection } = asked;
  const question = questionTextOf(asked);
  if (selection !== undefined) checkSelection(selection);
  throwIfCancelled(signal, 'The question');
  // Runs beside the model; a failure must not be lost, nor fail the answer.
  const changes = memory.detectChanges(signal).then(
    () => undefined,
    (error: unknown) => `Whether files changed since the repository was read is not known: ${messageOf(error)}`,
  );

  const { plan } = engine.description;
  const window = model.locret.window ?? model.shape.maxPositions;
  const base = await engine.mark();
  const room = Math.min(plan.capacity, window) - base.length;
  const frame = promptFrame(model);
  const prompt = planPrompt({
    tokenizer,
    after: (messages) => frame.after([...messages]),
    question,
    history: asked.history ?? [],
    room,
    window,
    maxTokens: asked.maxTokens ?? defaultMaxTokens,
    recallTokens: asked.recallTokens ?? model.locret.recall,
  });

  const questionText = (text: string): number[] =>
    tokenizer.encode(frame.after([{ role: 'user', content: tokenizer.neutralize(text) }]));
  const questionTokens = questionText(question);
  const attentive = model.locret.attention ?? false;
  const neutral = attentive ? await neutralFor(memory, questionText(neutralQuestion), room, signal) : undefined;
  const rank = (attention: AttentionMass | undefined): AttentionRanking | undefined =>
    attention === undefined || neutral === undefined
      ? undefined
      : rankByAttention(memory, attention, neutral, base.nextTokenIndex);
  const attention =
    attentive && prompt.recallTokens > 0
      ? rank(await observeQuestion(memory, questionTokens, room, signal))
      : undefined;

  const index = NameIndex.of(memory);
  const files = new CurrentFiles(memory.survey, memory.definitions, outlineSource, selection?.path);
  // With a selection, "what does it return?" is not about what the turn before named.
  const previous = selection === undefined ? asked.history?.at(-1)?.question : undefined;
  const lookup = lookUpNames(index, question, previous);
  if (lookup.unknown.length > 0) await changes;
  const recall = await selectRecall({
    files,
    tokenizer,
    lookup: await lookUpInChangedFiles(files, lookup, memory.coverage().changed),
    attention,
    limit: prompt.recallTokens,
    room: prompt.leftTokens,
    selection,
  });
  throwIfCancelled(signal, 'The question');
  const recallSeconds = (performance.now() - start) / 1000;

  const tokens = tokenizer.encode(recall.text + prompt.conversation);
  const generated = await leavingNoTrace(engine, async () => {
    await engine.extend(tokens, { evict: 'none', ...(signal === undefined ? {} : { signal }) });
    return generateText({
      engine,
      tokenizer,
      maxTokens: prompt.answerTokens,
      sampling: resolveSampling(asked.sampling ?? {}, model.generation),
      stopTokens: model.generation.stopTokens,
      stopStrings: asked.stop ?? [],
      penalized: questionTokens,
      observe: neutral !== undefined,
      ...(asked.onText === undefined ? {} : { onText: asked.onText }),
      ...(signal === undefined ? {} : { signal }),
    });
  });
  const answeredAt = performance.now();

  const { citations, unfounded, dropped } = await collectCitations({
    files,
    index,
    selected: recall.selected,
    named: recall.named,
    blocks: recall.blocks,
    answer: generated.text,
    attended: rank(generated.attention)?.passages ?? [],
  });
  const changeFailure = await changes;
  const coverage = memory.coverage();
  const firstTokenAt = generated.firstTokenAt ?? answeredAt;
  const decodeSeconds = (answeredAt - firstTokenAt) / 1000;
  return {
    mode: 'memory',
    text: generated.text,
    citations,
    coverage,
    recall: {
      blocks: recall.blocks,
      tokens: recall.blocks.reduce((sum, block) => sum + block.tokens, 0),
      limit: prompt.recallTokens,
      files: attention?.files.slice(0, 8) ?? [],
    },
    timings: {
      recallSeconds,
      firstTokenSeconds: (firstTokenAt - start) / 1000,
      totalSeconds: (performance.now() - start) / 1000,
      promptTokens: tokens.length,
      answerTokens: generated.tokens,
      tokensPerSecond: decodeSeconds > 0 ? Math.max(0, generated.tokens - 1) / decodeSeconds : 0,
    },
    memory: await factsOf(memory),
    end: generated.end,
    notices: [
      ...prompt.notices,
      ...recall.notices,
      ...answerNotices(generated),
      ...linkNotices(unfounded, dropped),
      ...(changeFailure === undefined ? changeNotices(coverage) : [changeFailure]),
    ],
  };
}

/** The neutral question's attention, observed once per memory. */
async function neutralFor(
  memory: RepositoryMemory,
  tokens: readonly number[],
  room: number,
  signal: AbortSignal | undefined,
): Promise<AttentionMass | undefined> {
  const known = neutralAttention.get(memory);
  if (known !== undefined) return known;
  const observed = await observeQuestion(memory, tokens, room, signal);
  if (observed !== undefined) neutralAttention.set(memory, observed);
  return observed;
}
