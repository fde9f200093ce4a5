import type { Command } from 'commander';
import type { Answer } from '../answer/answer.js';
import { questionTextOf, type Question } from '../answer/question.js';
import { askDeep, askMemory } from '../answer/ask.js';
import { answerToJson, renderAfterText, terminalText } from '../answer/render-answer.js';
import { loadEngine, planModel } from '../memory/planning/planned-model.js';
import { memorySettings } from '../workspace/settings.js';
import { interruptSignal } from './exit.js';
import { oneParagraph } from './format.js';
import { openFromOptions, printNotice } from './open-from-options.js';
import { withAnswerOptions, withReadingOptions, type AnswerOptions, type ReadingOptions } from './options.js';
import { prepareDeepReading } from './read-deep.js';

const description = `
Answers a question about a repository. The first question reads the repository into a memory of fixed size and keeps a
snapshot of it; later questions start from the snapshot. Definitions that the question names are re-read verbatim. With
--deep the repository is read again with the question first: slow, and better at one fact among thousands.`;

interface AskCommandOptions extends ReadingOptions, AnswerOptions {
  readonly deep?: boolean;
  readonly fresh?: boolean;
  readonly json?: boolean;
}

/** A question as the command line puts it. */
export function questionOf(
  question: string,
  options: AnswerOptions,
  signal: AbortSignal,
): Question & { readonly signal: AbortSignal } {
  return {
    question,
    maxTokens: options.answerTokens,
    sampling: options,
    recallTokens: options.recallTokens,
    stop: options.stop,
    signal,
  };
}

/** Prints an answer's text as it comes, and what belongs to it when it is whole. */
export async function streamAnswer(ask: (onText: (text: string) => void) => Promise<Answer>): Promise<Answer> {
  let written = '';
  const answer = await ask((text) => {
    const shown = terminalText(text);
    written += shown;
    process.stdout.write(shown);
  });
  const separator = written === '' ? '' : written.endsWith('\n') ? '\n' : '\n\n';
  process.stdout.write(`${separator}${renderAfterText(answer)}`);
  return answer;
}

async function answerFromMemory(question: Question, options: AskCommandOptions, print: Printer): Promise<void> {
  const fresh = options.fresh ?? false;
  const { memory, engine } = await openFromOptions(options, { fresh, signal: question.signal });
  try {
    await print((onText) => askMemory(memory, { ...question, onText }));
  } finally {
    await engine.dispose();
  }
}

async function answerDeep(
  question: Question & { readonly signal: AbortSignal },
  options: AskCommandOptions,
  print: Printer,
): Promise<void> {
  const settings = await memorySettings(options, options.repo);
  const planned = await planModel(settings);
  planned.plan.notices.forEach(printNotice);
  const readingOf = await prepareDeepReading(planned, settings.survey, question.signal);
  const engine = await loadEngine(planned, settings.cacheFolder, printNotice);
  const { model } = planned;
  try {
    await print((onText) => askDeep({ ...question, engine, model, read: readingOf(engine), onText }));
  } finally {
    await engine.dispose();
  }
}

type Printer = (ask: (onText: (text: string) => void) => Promise<Answer>) => Promise<unknown>;

async function printJson(ask: (onText: (text: string) => void) => Promise<Answer>): Promise<void> {
  const answer = await ask(() => undefined);
  process.stdout.write(`${JSON.stringify(answerToJson(answer), null, 2)}\n`);
}

async function run(words: readonly string[], options: AskCommandOptions): Promise<void> {
  const question = questionOf(words.join(' '), options, interruptSignal());
  // Nobody should wait for a repository to be read to be told that nothing was asked.
  questionTextOf(question);
  const print: Printer = options.json === true ? printJson : streamAnswer;
  await (options.deep === true ? answerDeep : answerFromMemory)(question, options, print);
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
