import type { Command } from 'commander';
import type { Answer } from '../answer/answer.js';
import { questionTextOf } from '../answer/question.js';
import type { RootQuestion } from '../workspace/root-questions.js';
import { interruptSignal } from './exit.js';
import { oneParagraph } from './format.js';
import { withAnswerOptions, withReadingOptions, type AnswerOptions, type ReadingOptions } from './options.js';
import { answerToJson, renderAfterText, terminalText } from './render-answer.js';
import { withRoot, type TerminalRoot } from './terminal-workspace.js';

const description = `
Answers a question about a repository. The first question reads the repository into a memory of fixed size and keeps a
snapshot of it; later questions start from the snapshot. Definitions that the question names are re-read verbatim. With
--deep the repository is read again with the question first: slow, and better at one fact among thousands.`;

interface AskCommandOptions extends ReadingOptions, AnswerOptions {
  readonly deep?: boolean;
  readonly fresh?: boolean;
  readonly json?: boolean;
}

/** Asks a root; shows how far the reading of a deep question is. */
export function ask(
  { root, bar }: TerminalRoot,
  asked: RootQuestion,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<Answer> {
  return root.ask(asked, {
    signal,
    onPartial: (partial) => {
      if (partial.kind === 'progress') bar.show(partial.progress);
      else bar.end();
      if (partial.kind === 'text') onText(partial.text);
    },
  });
}

/** The same, and prints the answer's text as it comes, and what belongs to it when it is whole. */
export async function askAloud(opened: TerminalRoot, asked: RootQuestion, signal: AbortSignal): Promise<Answer> {
  let written = '';
  const answer = await ask(opened, asked, signal, (text) => {
    const shown = terminalText(text);
    written += shown;
    process.stdout.write(shown);
  });
  const separator = written === '' ? '' : written.endsWith('\n') ? '\n' : '\n\n';
  process.stdout.write(`${separator}${renderAfterText(answer)}`);
  return answer;
}

async function run(words: readonly string[], options: AskCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const { fresh = false, json = false } = options;
  const asked: RootQuestion = { question: words.join(' '), mode: options.deep === true ? 'deep' : 'memory' };
  // Nobody should wait for a repository to be read to be told that nothing was asked.
  questionTextOf(asked);
  await withRoot(options, async (opened) => {
    if (asked.mode !== 'deep') await opened.root.read({ fresh }, signal);
    if (!json) {
      await askAloud(opened, asked, signal);
      return;
    }
    const answer = await ask(opened, asked, signal, () => undefined);
    process.stdout.write(`${JSON.stringify(answerToJson(answer), null, 2)}\n`);
  });
}

/** Adds `locret ask`. */
export function registerAsk(program: Command): void {
  withAnswerOptions(withReadingOptions(program.command('ask').summary('answer a question about a repository')))
    .description(oneParagraph(description))
    .argument('<question...>', 'the question; quote it')
    .option('--deep', 'read the repository again with the question first')
    .option('--fresh', 'read the repository again even if there is a snapshot')
    .option('--json', 'print one JSON object: answer, citations, coverage, recall, timings, memory')
    .action(run);
}
