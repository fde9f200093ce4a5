import type { AttentionMass } from '../engine/engine.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import { rankByAttention, type AttentionRanking } from './attention-ranking.js';
import { leavingNoTrace } from './leave-no-trace.js';
import { questionTokens, type PreparedQuestion } from './prepare.js';

/** Asks for nothing in particular: what it attends to, every question attends to. */
const neutralQuestion = 'Please say something about this.';

/** The neutral question's attention, observed once per memory. */
const neutralAttention = new WeakMap<RepositoryMemory, AttentionMass>();

/** The attention that a question pays to the memory, without leaving a trace in it; undefined when there is no room. */
async function observe(
  { engine }: RepositoryMemory,
  tokens: readonly number[],
  { room, asked: { signal } }: PreparedQuestion,
): Promise<AttentionMass | undefined> {
  if (tokens.length > room) return undefined;
  const observed = Math.min(tokens.length, engine.description.plan.chunk);
  const { attention } = await leavingNoTrace(engine, () =>
    engine.extend(tokens, { evict: 'none', observe: observed, signal }),
  );
  return attention;
}

/** What attention to a memory tells beyond what every question attends to. */
export interface AttentionReading {
  /** What the question attends to; undefined when nothing is recalled by it. */
  readonly question: AttentionRanking | undefined;
  /** Ranks what an answer attends to. */
  readonly rank: (attention: AttentionMass) => AttentionRanking;
}

/**
 * Observes what a question attends to in the memory: the question is read over it and taken back.
 * @returns undefined unless the model's attention is said to tell something, or when there is no room to observe it
 */
export async function readAttention(
  memory: RepositoryMemory,
  prepared: PreparedQuestion,
): Promise<AttentionReading | undefined> {
  if (memory.model.locret.attention !== true) return undefined;
  const neutral =
    neutralAttention.get(memory) ?? (await observe(memory, questionTokens(memory.model, neutralQuestion), prepared));
  if (neutral === undefined) return undefined;
  neutralAttention.set(memory, neutral);
  const rank = (attention: AttentionMass): AttentionRanking =>
    rankByAttention(memory, attention, neutral, prepared.memoryEnd);
  const observed = prepared.prompt.recallTokens > 0 ? await observe(memory, prepared.tokens, prepared) : undefined;
  return { question: observed && rank(observed), rank };
}
