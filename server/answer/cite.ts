import type { RepositoryMemory } from '../memory/contents/memory.js';
import { collectCitations, type CheckedCitations } from './citations.js';
import type { CurrentFiles } from './current-files.js';
import type { GeneratedAnswer } from './generate.js';
import { NameIndex } from './name-index.js';
import type { RecalledQuestion } from './recall.js';

/** The links of an answer: what the question names, what its words name, and what they attended to. */
export function citeAnswer(
  memory: RepositoryMemory,
  files: CurrentFiles,
  { selection, attention }: RecalledQuestion,
  generated: GeneratedAnswer,
): Promise<CheckedCitations> {
  const { selected, named, blocks } = selection;
  const attended = generated.attention && attention?.rank(generated.attention).passages;
  const index = NameIndex.of(memory);
  return collectCitations({ files, index, selected, named, blocks, answer: generated.text, attended: attended ?? [] });
}
