import type { Connection } from 'vscode-languageserver';
import { LocretError } from '../errors.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Workspace } from '../workspace/workspace.js';
import type { OpenDocuments } from './documents.js';
import { definitionAtParams, paramsOf } from './params.js';
import { onLocretRequest } from './requests.js';

/** Answers what is asked about a memory's contents: coverage, retention by file and by line, definitions. */
export function serveRemembered(connection: Connection, workspace: Workspace, documents: OpenDocuments): void {
  onLocretRequest(connection, 'locret/coverage', async (params) => {
    const memory = workspace.root(paramsOf(params).text('root')).contents;
    const { skipped, changed } = memory.coverage();
    const read = memory.files.map(({ file, begin, end }) => ({ path: file.path, tokens: end - begin }));
    return Promise.resolve({ read, skipped, changed });
  });

  onLocretRequest(connection, 'locret/retention', async (params) => {
    const memory = workspace.root(paramsOf(params).text('root')).contents;
    const files = await memory.retention();
    const tokens = files.reduce((sum, file) => sum + file.tokens, 0);
    const kept = files.reduce((sum, file) => sum + file.kept * file.tokens, 0);
    return { files, kept: tokens === 0 ? 0 : kept / tokens };
  });

  onLocretRequest(connection, 'locret/lineRetention', async (params) => {
    const fields = paramsOf(params);
    const path = fields.text('path');
    const memory = workspace.root(fields.text('root')).contents;
    const read = memory.files.find(({ file }) => file.path === path);
    if (read === undefined)
      throw new LocretError('invalid-argument', `${path} is not in the memory.`, 'Name a file that was read.');
    const kept = await memory.lineRetention(path);
    return { kept: Array.from(kept, (share) => (Number.isNaN(share) ? -1 : share)), hash: read.file.hash };
  });

  onLocretRequest(connection, 'locret/definitionAt', async (params) => {
    const { uri, line } = definitionAtParams(params);
    const definition = definitionAround(await documents.definitions(uri), line);
    if (definition === undefined) return null;
    const { name, kind, line: first, endLine, container } = definition;
    return { name, kind, line: first, endLine, ...(container === undefined ? {} : { container }) };
  });
}
