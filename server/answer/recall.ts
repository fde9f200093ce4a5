import { throwIfCancelled } from '../errors.js';
import type { RepositoryMemory } from '../memory/contents/memory.js';
import type { Recall } from './answer.js';
import type { CurrentFiles } from './current-files.js';
import { NameIndex } from './name-index.js';
import { lookUpInChangedFiles, lookUpNames } from './name-lookup.js';
import type { PreparedQuestion } from './prepare.js';
import { readAttention, type AttentionReading } from './question-attention.js';
import { selectRecall, type RecallSelection } from './recall-choice.js';

/** Files that are named among those that a question attends to. */
const mostFiles = 8;

/** What a question is about, and what of it is re-read. */
export interface RecalledQuestion {
  readonly selection: RecallSelection;
  readonly attention: AttentionReading | undefined;
}

/**
 * Finds what a question is about: names are looked up in the outline, and the question is read once over the memory to
 * see what it attends to. Of what is found, as much is re-read from disk as there is room for.
 *
 * @param changes resolves when it is known which files changed
 * @throws LocretError cancelled, engine-failed
 */
export async function recallFor(
  memory: RepositoryMemory,
  prepared: PreparedQuestion,
  files: CurrentFiles,
  changes: Promise<unknown>,
): Promise<RecalledQuestion> {
  const { asked, text, prompt } = prepared;
  const attention = await readAttention(memory, prepared);
  // With a selection, "what does it return?" is not about what the turn before named.
  const previous = asked.selection === undefined ? asked.history?.at(-1)?.question : undefined;
  const lookup = lookUpNames(NameIndex.of(memory), text, previous);
  if (lookup.unknown.length > 0) await changes;
  const selection = await selectRecall({
    files,
    tokenizer: memory.model.tokenizer,
    lookup: await lookUpInChangedFiles(files, lookup, memory.coverage().changed),
    attention: attention?.question,
    limit: prompt.recallTokens,
    room: prompt.leftTokens,
    selection: asked.selection,
  });
  throwIfCancelled(asked.signal, 'The question');
  return { selection, attention };
}

/** What was re-read, as an answer tells it. */
export function recallOf({ selection, attention }: RecalledQuestion, limit: number): Recall {
  return {
    blocks: selection.blocks,
    tokens: selection.blocks.reduce((sum, block) => sum + block.tokens, 0),
    limit,
    files: attention?.question?.files.slice(0, mostFiles) ?? [],
  };
}
