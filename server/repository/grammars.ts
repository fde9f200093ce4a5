import { createRequire } from 'node:module';
import { Language, Parser, Query } from 'web-tree-sitter';
import { LocretError, messageOf } from '../errors.js';
import type { Grammar } from './languages.js';
import { outlineQueries } from './outline-queries.js';

/** A grammar that is ready to parse, and its outline query. */
export interface LoadedGrammar {
  readonly language: Language;
  readonly query: Query;
}

const loading = new Map<Grammar, Promise<LoadedGrammar>>();
let starting: Promise<void> | undefined;

async function load(grammar: Grammar): Promise<LoadedGrammar> {
  try {
    starting ??= Parser.init();
    await starting;
    const file = createRequire(import.meta.url).resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`);
    const language = await Language.load(file);
    return { language, query: new Query(language, outlineQueries[grammar]) };
  } catch (error) {
    throw new LocretError(
      'engine-failed',
      `The tree-sitter grammar ${grammar} could not be loaded: ${messageOf(error)}`,
      'Install the packages again: npm ci.',
      { cause: error },
    );
  }
}

/**
 * Loads a grammar, once.
 *
 * @throws LocretError `engine-failed` when the installation is incomplete
 */
export function loadGrammar(grammar: Grammar): Promise<LoadedGrammar> {
  let loaded = loading.get(grammar);
  if (loaded === undefined) {
    loaded = load(grammar);
    loading.set(grammar, loaded);
  }
  return loaded;
}
