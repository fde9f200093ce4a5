import type { Connection } from 'vscode-languageserver';
import type { Answer } from '../answer/answer.js';
import type { AskPartial, AskResult } from '../contract/protocol.js';
import type { Workspace } from '../workspace/workspace.js';
import { askParams } from './params.js';
import { onLocretRequest } from './requests.js';

/** Tokens come one by one; a client is told of them in batches that an eye cannot tell apart. */
const batchMilliseconds = 30;

/** Sends text in batches; everything else at once, in its order. */
class PartialSender {
  private text = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (partial: AskPartial) => void) {}

  push(partial: AskPartial): void {
    if (partial.kind !== 'text') {
      this.flush();
      this.send(partial);
      return;
    }
    this.text += partial.text;
    this.timer ??= setTimeout(() => {
      this.flush();
    }, batchMilliseconds);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text !== '') this.send({ kind: 'text', text: this.text });
    this.text = '';
  }
}

/** An answer as the wire has it: numbers instead of the lists of its coverage. */
export function askResult(answer: Answer): AskResult {
  const { mode, text, citations, coverage, recall, timings, memory, end, notices } = answer;
  const { filesRead, tokensRead, skipped, changed } = coverage;
  return {
    mode,
    text,
    citations,
    coverage: { filesRead, tokensRead, skipped: skipped.length, changed: changed.length },
    recalled: recall.blocks,
    timings,
    memory,
    end,
    notices,
  };
}

/** Answers `locret/ask`, with partial results while the answer comes. */
export function serveAsking(connection: Connection, workspace: Workspace): void {
  onLocretRequest(connection, 'locret/ask', async (params, { partial, signal }) => {
    const { root, question, history = [], mode, selection } = askParams(params);
    const sender = new PartialSender(partial);
    try {
      const asked = {
        question,
        history,
        deep: mode === 'deep',
        onPartial: (some: AskPartial) => {
          sender.push(some);
        },
        selection,
      };
      return askResult(await workspace.root(root).ask(asked, signal));
    } finally {
      sender.flush();
    }
  });
}
