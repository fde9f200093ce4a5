import type { ReadFile } from '../contract/contents.js';
import { LocretError } from '../errors.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Workspace } from '../workspace/workspace.js';
import type { DocumentOutlines } from './document-outlines.js';
import { definitionAtParams, lineRetentionParams, rootParams } from './params.js';
import type { UseCases } from './use-case.js';

/** What a memory holds: coverage, retention by file and by line; and definitions of the text as it is now. */
export function remembered(
  workspace: Workspace,
  outlines: DocumentOutlines,
): UseCases<'locret/coverage' | 'locret/retention' | 'locret/lineRetention' | 'locret/definitionAt'> {
  return {
    'locret/coverage': {
      parse: rootParams,
      handle: ({ root }) => {
        const { contents } = workspace.root(root);
        const { skipped, changed } = contents.coverage();
        const read = contents.files.map(({ file, begin, end }): ReadFile => ({ path: file.path, tokens: end - begin }));
        return Promise.resolve({ read, skipped, changed });
      },
    },
    'locret/retention': {
      parse: rootParams,
      handle: async ({ root }) => {
        const files = await workspace.root(root).contents.retention();
        const tokens = files.reduce((sum, file) => sum + file.tokens, 0);
        const kept = files.reduce((sum, file) => sum + file.kept * file.tokens, 0);
        return { files, kept: tokens === 0 ? 0 : kept / tokens };
      },
    },
    'locret/lineRetention': {
      parse: lineRetentionParams,
      handle: async ({ root, path }) => {
        const { contents } = workspace.root(root);
        const read = contents.files.find(({ file }) => file.path === path);
        if (read === undefined)
          throw new LocretError('invalid-argument', `${path} is not in the memory.`, 'Name a file that was read.');
        const kept = await contents.lineRetention(path);
        return { kept: Array.from(kept, (share) => (Number.isNaN(share) ? -1 : share)), hash: read.file.hash };
      },
    },
    'locret/definitionAt': {
      parse: definitionAtParams,
      handle: async ({ uri, line }) => {
        const definition = definitionAround(await outlines.definitions(uri), line);
        if (definition === undefined) return null;
        const { name, kind, line: first, endLine, container } = definition;
        return { name, kind, line: first, endLine, container };
      },
    },
  };
}
