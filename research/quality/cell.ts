import { askDeep, askMemory } from '../../server/answer/ask.js';
import type { Engine, KeptUnits } from '../../server/engine/engine.js';
import type { PlannedModel } from '../../server/memory/planning/planned-model.js';
import { promptFrame } from '../../server/model/prompt-frame.js';
import { readRepository } from '../../server/memory/reading/reading.js';
import type { ReadMemory } from '../../server/memory/contents/repository-memory.js';
import { tokensOfLine } from '../../server/memory/contents/source-map.js';
import type { Survey, SurveyOptions } from '../../server/repository/source.js';
import type { Patch } from '../policies/score-units.js';
import { type BenchQuestion, isRight, makeQuestions } from './questions.js';
import type { Structure } from './structure-policy.js';

/** How a question is answered. */
export type Mode =
  /** From the frozen memory alone. */
  | 'memory'
  /** With definitions re-read before the question, as the product does it. */
  | 'recall'
  /** From a memory that was read for this question, with it first. */
  | 'question-first'
  /** Both: what the product calls deep. */
  | 'deep';

/** What became of one question. */
export interface Outcome {
  readonly id: string;
  readonly kind: string;
  readonly right: boolean;
  /** Share of the gold lines' cache units that are held when it is asked; undefined where nothing is to be held. */
  readonly survival?: number;
  /** Mean log-probability of the right answer's tokens, nats. */
  readonly logProbability: number;
}

export interface CellInput {
  readonly engine: Engine;
  readonly planned: PlannedModel;
  readonly survey: Survey;
  readonly options: SurveyOptions;
  readonly mode: Mode;
  /** What the engine keeps before all else, beside what the plan says. */
  readonly structure: Structure | undefined;
  /** What the engine's policy is shown behind every chunk, where it foresees. */
  readonly foresight: Foresight | undefined;
  readonly questions: number;
  readonly seed: number;
}

/** What a policy that foresees is shown behind every chunk. */
export interface Foresight {
  patches: readonly Patch[];
}

const longestAnswer = 64;

/** The share of the units of a question's gold lines, over all layers and KV heads, that are kept. */
function survivalOf(memory: ReadMemory, kept: KeptUnits, { gold }: BenchQuestion): number | undefined {
  const map = memory.content.map.files.find(({ file }) => file.path === gold?.path);
  if (gold === undefined || map === undefined) return undefined;
  const { layers, kvHeads } = memory.engine.description.shape;
  const counts = new Map(Array.from(kept.tokenIndices, (token, i) => [token, kept.counts[i] ?? 0]));
  const ranges = gold.lines.map((line) => tokensOfLine(map, line));
  if (gold.header) ranges.push({ begin: 0, end: tokensOfLine(map, 1).begin });
  let held = 0;
  let all = 0;
  for (const { begin, end } of ranges) {
    for (let token = begin; token < end; token++) held += counts.get(map.begin + token) ?? 0;
    all += (end - begin) * layers.length * kvHeads;
  }
  return all === 0 ? undefined : held / all;
}

/** Log-softmax of one row at one token. */
function logProbability(logits: Float32Array, row: number, vocabulary: number, token: number): number {
  const numbers = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
  const largest = numbers.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = numbers.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return (numbers[token] ?? -Infinity) - largest - Math.log(sum);
}

/** One run of {@link runCell}. */
class Cell {
  private readonly questionTokens: (question: BenchQuestion) => number[];

  constructor(private readonly input: CellInput) {
    const { model } = input.planned;
    const frame = promptFrame(model);
    this.questionTokens = ({ text }) =>
      model.tokenizer.encode(frame.after([{ role: 'user', content: model.tokenizer.neutralize(text) }]));
  }

  private read(questionFirst: string | undefined, patches: readonly Patch[] = []): Promise<ReadMemory> {
    const { engine, planned, survey, options, foresight } = this.input;
    if (foresight !== undefined) foresight.patches = patches;
    return readRepository({
      engine,
      model: planned.model,
      survey,
      options,
      local: planned.plan.local,
      structure: planned.plan.structure,
      ...(questionFirst === undefined ? {} : { questionFirst }),
    });
  }

  /** What a policy that foresees is shown: the question, or for an oracle the question and its answer. */
  private patch(question: BenchQuestion): Patch {
    const tokens = this.questionTokens(question);
    if (this.input.planned.plan.policy === 'snapkv-patched') return { tokens, observe: tokens.length };
    const answer = this.input.planned.model.tokenizer.encode(question.answer);
    return { tokens: [...tokens, ...answer], observe: answer.length };
  }

  async run(): Promise<Outcome[]> {
    const { planned, mode, seed } = this.input;
    const { policy } = planned.plan;
    const seesAnswers = policy === 'oracle' || policy === 'attention-oracle';
    // Questions come from the outline, which a reading makes; one that foresees is shown something neutral at first.
    const neutral = { tokens: planned.model.tokenizer.encode('What is in this repository?'), observe: 1 };
    let memory = await this.read(undefined, seesAnswers || policy === 'snapkv-patched' ? [neutral] : []);
    const questions = await makeQuestions(memory, this.input.questions, seed);
    if (questions.length === 0) return [];
    this.input.structure?.learn(memory);
    const foreseen = seesAnswers ? questions.map((question) => this.patch(question)) : [];
    if (seesAnswers || this.input.structure !== undefined) memory = await this.read(undefined, foreseen);
    const outcomes: Outcome[] = [];
    for (const question of questions) {
      if (mode === 'deep') {
        outcomes.push(await this.askDeeply(question));
        continue;
      }
      if (policy === 'snapkv-patched') memory = await this.read(undefined, [this.patch(question)]);
      if (mode === 'question-first') memory = await this.read(question.text);
      outcomes.push(await this.ask(memory, question));
    }
    return outcomes;
  }

  private async ask(memory: ReadMemory, question: BenchQuestion): Promise<Outcome> {
    const survival = survivalOf(memory, await memory.engine.keptUnits(), question);
    const known = await this.logProbabilityOf(question);
    const { text } = await askMemory(memory, {
      question: question.text,
      maxTokens: longestAnswer,
      ...(this.input.mode === 'recall' ? {} : { recallTokens: 0 }),
    });
    return this.outcome(question, text, survival, known);
  }

  private async askDeeply(question: BenchQuestion): Promise<Outcome> {
    const { engine, planned } = this.input;
    let survival: number | undefined;
    let known = NaN;
    const { text } = await askDeep({
      engine,
      model: planned.model,
      question: question.text,
      maxTokens: longestAnswer,
      read: async (questionFirst) => {
        const memory = await this.read(questionFirst);
        survival = survivalOf(memory, await engine.keptUnits(), question);
        known = await this.logProbabilityOf(question);
        return memory;
      },
    });
    return this.outcome(question, text, survival, known);
  }

  private outcome(question: BenchQuestion, text: string, survival: number | undefined, known: number): Outcome {
    return {
      id: question.id,
      kind: question.kind,
      right: isRight(question, text),
      logProbability: known,
      ...(survival === undefined ? {} : { survival }),
    };
  }

  /** How likely the model holds the right answer to be, from the memory alone. */
  private async logProbabilityOf(question: BenchQuestion): Promise<number> {
    const { engine, planned } = this.input;
    const asked = this.questionTokens(question);
    const answer = planned.model.tokenizer.encode(question.answer);
    const mark = await engine.mark();
    const { logits } = await engine.extend([...asked, ...answer], { evict: 'none', logits: 'all' });
    await engine.rewind(mark);
    const { vocabulary } = engine.description.shape;
    const sum = answer.reduce(
      (total, token, i) => total + logProbability(logits, asked.length - 1 + i, vocabulary, token),
      0,
    );
    return sum / answer.length;
  }
}

/** Reads one repository by one policy, budget and mode, and asks about it. */
export function runCell(input: CellInput): Promise<Outcome[]> {
  return new Cell(input).run();
}
