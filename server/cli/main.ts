#!/usr/bin/env -S node --max-semi-space-size=4
import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { registerRivals } from '../../research/policies/register.js';
import { systemErrorCode } from '../errors.js';
import { registerAsk } from './ask.js';
import { registerChat } from './chat.js';
import { registerDoctor } from './doctor.js';
import { exitCodes, reportFailure } from './exit.js';
import { registerFind } from './find.js';
import { registerLsp } from './lsp.js';
import { registerModels } from './models.js';
import { registerPlan } from './plan.js';
import { registerRead } from './read.js';
import { registerTrace } from './trace.js';
import { registerTrain } from './train.js';

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', (error) => {
  if (systemErrorCode(error) !== 'EPIPE') throw error;
  process.exit(exitCodes.success);
});

registerRivals();
const program = new Command('locret')
  .description('Ask a question about a whole repository; a model on this machine answers, with links.')
  .version(packageFile.version)
  .showHelpAfterError('(add --help to see what there is)')
  .exitOverride();
const commands = [
  ...[
    registerAsk,
    registerChat,
    registerFind,
    registerRead,
    registerPlan,
    registerModels,
    registerDoctor,
    registerTrace,
  ],
  registerTrain,
  registerLsp,
];

try {
  for (const register of commands) register(program);
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error);
  else process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
}
