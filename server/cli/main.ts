#!/usr/bin/env node
import { Command } from 'commander';
import { registerAsk } from './ask.js';
import { registerChat } from './chat.js';
import { reportFailure } from './exit.js';
import { registerModels } from './models.js';
import { registerPlan } from './plan.js';
import { registerRead } from './read.js';
import { registerTrace } from './trace.js';

const program = new Command('locret')
  .description('Ask a question about a whole repository; a model on this machine answers, with links.')
  .showHelpAfterError('(locret --help tells more)');
const commands = [registerAsk, registerChat, registerRead, registerPlan, registerModels, registerTrace];
for (const register of commands) register(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
