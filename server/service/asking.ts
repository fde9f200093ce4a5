import type { Answer } from '../answer/answer.js';
import type { AskResult } from '../contract/answers.js';
import type { Workspace } from '../workspace/workspace.js';
import { askParams } from './params.js';
import type { UseCases } from './use-case.js';

/** An answer as the contract has it: numbers instead of the lists of its coverage. */
function askResult({ coverage, recall, ...answer }: Answer): AskResult {
  const { filesRead, tokensRead, skipped, changed } = coverage;
  return {
    ...answer,
    coverage: { filesRead, tokensRead, skipped: skipped.length, changed: changed.length },
    recalled: recall.blocks,
  };
}

/** Questions to the memory of a root. */
export function asking(workspace: Workspace): UseCases<'locret/ask'> {
  return {
    'locret/ask': {
      parse: askParams,
      handle: async ({ root, ...asked }, { onPartial, signal }) =>
        askResult(await workspace.root(root).ask(asked, { onPartial, signal })),
    },
  };
}
