import type { RepositoryMemory } from '../memory/contents/memory.js';
import { generateText, resolveSampling, type GeneratedText } from './generation.js';
import { leavingNoTrace } from './leave-no-trace.js';
import type { PreparedQuestion } from './prepare.js';
import type { RecalledQuestion } from './recall.js';

/** An answer's words, and what it took to get them. */
export interface GeneratedAnswer extends GeneratedText {
  /** Tokens read behind the memory. */
  readonly promptTokens: number;
  /** `performance.now()` when the last token was there. */
  readonly answeredAt: number;
}

/**
 * Generates the answer behind the memory, the recalled definitions and the conversation, and takes them back.
 * @throws LocretError cancelled, engine-failed
 */
export async function generateAnswer(
  { engine, model }: RepositoryMemory,
  { asked, tokens: questionTokens, prompt }: PreparedQuestion,
  { selection, attention }: RecalledQuestion,
): Promise<GeneratedAnswer> {
  const { tokenizer, generation } = model;
  const { signal, onText } = asked;
  const tokens = tokenizer.encode(selection.text + prompt.conversation);
  const generated = await leavingNoTrace(engine, async () => {
    await engine.extend(tokens, { evict: 'none', signal });
    return generateText({
      engine,
      tokenizer,
      maxTokens: prompt.answerTokens,
      sampling: resolveSampling(asked.sampling ?? {}, generation),
      stopTokens: generation.stopTokens,
      stopStrings: asked.stop ?? [],
      penalized: questionTokens,
      observe: attention !== undefined,
      onText,
      signal,
    });
  });
  return { ...generated, promptTokens: tokens.length, answeredAt: performance.now() };
}
