import type { Command } from 'commander';
import { standardStreams } from '../lsp/connection.js';
import { serveLanguage } from '../lsp/serve.js';
import { oneParagraph } from './format.js';

const description = `
Serves an editor over standard input and output with the language-server protocol, so that any editor can read
repositories and ask about them; docs/protocol.md describes the requests beyond the standard.`;

/** Adds `locret lsp`. */
export function registerLsp(program: Command): void {
  program
    .command('lsp')
    .summary('serve an editor (language-server protocol)')
    .description(oneParagraph(description))
    .option('--stdio', 'talk over standard input and output; the only way, named for editors that insist')
    .action(async () => {
      process.exit(await serveLanguage(standardStreams()));
    });
}
