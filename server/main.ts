import {
  IPCMessageReader,
  IPCMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { serveLanguage } from './lsp/serve.js';

// An editor forks this program and talks through Node's channel; any other starts it with --stdio.
const isStandard = process.argv.includes('--stdio') || process.send === undefined;
const transport = isStandard
  ? { reader: new StreamMessageReader(process.stdin), writer: new StreamMessageWriter(process.stdout) }
  : { reader: new IPCMessageReader(process), writer: new IPCMessageWriter(process) };
process.exit(await serveLanguage(transport));
