#!/usr/bin/env node
import { Command } from 'commander';
import { reportFailure } from './exit.js';
import { registerTrace } from './trace.js';

const program = new Command('locret')
  .description('Ask a question about a whole repository; a model on this machine answers, with links.')
  .showHelpAfterError('(locret --help tells more)');
registerTrace(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
