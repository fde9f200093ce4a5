import { registerRivals } from '../research/policies/register.js';
import { parentChannel, standardStreams } from './lsp/connection.js';
import { serveLanguage } from './lsp/serve.js';

registerRivals();
// The extension forks this program and talks through Node's channel; any other editor starts it with --stdio.
const isForked = process.send !== undefined && !process.argv.includes('--stdio');
process.exit(await serveLanguage(isForked ? parentChannel() : standardStreams()));
