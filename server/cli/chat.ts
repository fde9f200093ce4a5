import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { Conversation } from '../answer/conversation.js';
import type { AnswerMode } from '../contract/words.js';
import { isLocretError } from '../errors.js';
import { exitCodes, listenForInterruption, reportFailure } from './exit.js';
import { formatAmount } from '../quantities.js';
import { askAloud } from './ask.js';
import { oneParagraph } from './format.js';
import { withAnswerOptions, withReadingOptions, type AnswerOptions, type ReadingOptions } from './options.js';
import { callUntil, withRoot, type TerminalRoot } from './terminal-workspace.js';

const description = `
A conversation about a repository: questions, answers with links, earlier turns kept in mind. Ctrl-C ends an answer; at
the prompt it ends the conversation. Lines that are piped in are answered one after the other.`;

const help = `  /deep QUESTION  read the repository again with this question first
  /update         fold in the files that changed
  /clear          forget the conversation; the memory stays
  /exit           end
`;

class Chat {
  private readonly conversation = new Conversation();
  private answering: AbortController | undefined;

  constructor(private readonly opened: TerminalRoot) {}

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
        await this.interruptible((signal) => this.ask(text, 'deep', signal));
        return true;
      default:
        if (command.startsWith('/')) process.stdout.write(`There is no ${command}:\n${help}`);
        else await this.interruptible((signal) => this.ask(line.trim(), 'memory', signal));
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

  private async ask(question: string, mode: AnswerMode, signal: AbortSignal): Promise<void> {
    const answer = await askAloud(this.opened, { question, mode, history: this.conversation.turns }, signal);
    process.stdout.write('\n');
    this.conversation.add({ question, answer: answer.text });
  }

  private async update(signal: AbortSignal): Promise<void> {
    const { root, service, bar } = this.opened;
    const before = root.contents;
    await service['locret/update'].handle({ root: root.uri }, callUntil(signal));
    bar.end();
    const { filesRead, tokensRead } = root.contents.coverage();
    process.stdout.write(
      root.contents === before
        ? 'Nothing has changed.\n'
        : `Updated: ${formatAmount(filesRead, 'file')}, ${formatAmount(tokensRead, 'token')}.\n`,
    );
  }
}

async function converse(opened: TerminalRoot): Promise<void> {
  const chat = new Chat(opened);
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
    if (isTerminal) process.stdout.write(`${opened.root.contents.survey.root}: ask, or /help.\n`);
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
  }
}

async function run(options: ReadingOptions & AnswerOptions): Promise<void> {
  const opening = listenForInterruption();
  await withRoot(options, async (opened) => {
    await opened.root.read({}, opening.signal);
    opened.bar.end();
    opening.stop();
    await converse(opened);
  });
}

/** Adds `locret chat`. */
export function registerChat(program: Command): void {
  withAnswerOptions(withReadingOptions(program.command('chat').summary('a conversation about a repository')))
    .description(oneParagraph(description))
    .action(run);
}
