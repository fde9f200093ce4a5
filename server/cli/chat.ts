import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { questionTextOf } from '../answer/question.js';
import { askDeep, askMemory } from '../answer/ask.js';
import { Conversation } from '../answer/conversation.js';
import type { LayerCache } from '../engine/engine.js';
import { isLocretError } from '../errors.js';
import type { OpenedMemory } from '../memory/open-memory.js';
import type { ReadMemory } from '../memory/contents/repository-memory.js';
import { questionOf, streamAnswer } from './ask.js';
import { exitCodes, listenForInterruption, reportFailure } from './exit.js';
import { formatAmount } from '../quantities.js';
import { memorySettings } from '../workspace/settings.js';
import { oneParagraph } from './format.js';
import { openFromOptions } from './open-from-options.js';
import { withAnswerOptions, withReadingOptions, type AnswerOptions, type ReadingOptions } from './options.js';
import { prepareDeepReading } from './read-deep.js';

const description = `
A conversation about a repository: questions, answers with links, earlier turns kept in mind. Ctrl-C ends an answer; at
the prompt it ends the conversation. Lines that are piped in are answered one after the other.`;

const help = `  /deep QUESTION  read the repository again with this question first
  /update         fold in the files that changed
  /clear          forget the conversation; the memory stays
  /exit           end
`;

type ChatOptions = ReadingOptions & AnswerOptions;

/** Layers one by one, as the engine wants them back. */
async function* oneByOne(layers: readonly LayerCache[]): AsyncGenerator<LayerCache> {
  for (const layer of layers) yield await Promise.resolve(layer);
}

class Chat {
  private readonly conversation = new Conversation();
  private memory: ReadMemory;
  private answering: AbortController | undefined;

  constructor(
    private readonly opened: OpenedMemory,
    private readonly options: ChatOptions,
  ) {
    this.memory = opened.memory;
  }

  /** Ends the answer that is being given, and the process when it is asked to again; false when there is none. */
  interrupt(): boolean {
    if (this.answering?.signal.aborted === true) process.exit(exitCodes.cancelled);
    this.answering?.abort();
    return this.answering !== undefined;
  }

  /** Handles one line. Returns false when the conversation is over. */
  async handle(line: string): Promise<boolean> {
    const [command = '', ...rest] = line.trim().split(/\s+/);
    const text = rest.join(' ');
    switch (command) {
      case '':
        return true;
      case '/exit':
      case '/quit':
        return false;
      case '/help':
        process.stdout.write(help);
        return true;
      case '/clear':
        this.conversation.clear();
        process.stdout.write('The conversation is forgotten; the memory of the repository stays.\n');
        return true;
      case '/update':
        await this.interruptible((signal) => this.update(signal));
        return true;
      case '/deep':
        await this.interruptible((signal) => this.askDeep(text, signal));
        return true;
      default:
        if (command.startsWith('/')) process.stdout.write(`There is no ${command}:\n${help}`);
        else await this.interruptible((signal) => this.ask(line.trim(), signal));
        return true;
    }
  }

  private async interruptible(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.answering = new AbortController();
    try {
      await task(this.answering.signal);
    } catch (error) {
      if (isLocretError(error, 'engine-failed')) throw error;
      reportFailure(error);
    } finally {
      this.answering = undefined;
    }
  }

  private async ask(question: string, signal: AbortSignal): Promise<void> {
    const asked = { ...questionOf(question, this.options, signal), history: this.conversation.turns };
    const answer = await streamAnswer((onText) => askMemory(this.memory, { ...asked, onText }));
    process.stdout.write('\n');
    this.conversation.add({ question, answer: answer.text });
  }

  private async askDeep(question: string, signal: AbortSignal): Promise<void> {
    const { engine, model } = this.opened;
    const asked = { ...questionOf(question, this.options, signal), history: this.conversation.turns };
    questionTextOf(asked);
    const { survey } = await memorySettings(this.options, this.options.repo);
    const readingOf = await prepareDeepReading(this.opened, survey, signal);
    const { nextTokenIndex } = await engine.stats();
    const layers: LayerCache[] = [];
    for (let layer = 0; layer < model.shape.layers.length; layer++) layers.push(await engine.exportLayer(layer));
    const restore = (): Promise<void> => engine.importLayers(oneByOne(layers), nextTokenIndex);
    const read = readingOf(engine);
    const answer = await streamAnswer((onText) => askDeep({ ...asked, onText, engine, model, read, restore }));
    process.stdout.write('\n');
    this.conversation.add({ question, answer: answer.text });
  }

  private async update(signal: AbortSignal): Promise<void> {
    const before = this.memory;
    this.memory = await this.opened.update(before, signal);
    const { filesRead, tokensRead } = this.memory.coverage();
    process.stdout.write(
      this.memory === before
        ? 'Nothing has changed.\n'
        : `Updated: ${formatAmount(filesRead, 'file')}, ${formatAmount(tokensRead, 'token')}.\n`,
    );
  }
}

async function run(options: ChatOptions): Promise<void> {
  const opening = listenForInterruption();
  const opened = await openFromOptions(options, { signal: opening.signal });
  opening.stop();
  const chat = new Chat(opened, options);
  const isTerminal = process.stdin.isTTY;
  const prompt = isTerminal ? '> ' : '';
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: isTerminal, prompt });
  const interrupt = (): void => {
    if (!chat.interrupt()) lines.close();
  };
  // A terminal hands Ctrl-C to the prompt; where there is none it comes as a signal.
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  try {
    if (isTerminal) process.stdout.write(`${opened.root}: ask, or /help.\n`);
    lines.prompt();
    let goesOn = true;
    for await (const line of lines) {
      goesOn = await chat.handle(line);
      if (!goesOn) break;
      lines.prompt();
    }
    // Ctrl-C and Ctrl-D leave the cursor behind the prompt.
    if (isTerminal && goesOn) process.stdout.write('\n');
  } finally {
    lines.close();
    process.off('SIGINT', interrupt);
    await opened.engine.dispose();
  }
}

/** Adds `locret chat`. */
export function registerChat(program: Command): void {
  withAnswerOptions(withReadingOptions(program.command('chat').summary('a conversation about a repository')))
    .description(oneParagraph(description))
    .action(run);
}
