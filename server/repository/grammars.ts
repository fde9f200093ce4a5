import { createRequire } from 'node:module';
import type * as WebTreeSitter from 'web-tree-sitter';
import { LocretError, messageOf } from '../errors.js';
import type { Grammar } from './languages.js';
import { outlineQueries } from './outline-queries.js';

type TreeSitter = typeof WebTreeSitter;

/** A grammar that is ready to parse, and its outline query. */
export interface LoadedGrammar {
  readonly treeSitter: TreeSitter;
  readonly language: WebTreeSitter.Language;
  readonly query: WebTreeSitter.Query;
}

const require = createRequire(import.meta.url);
const pageBytes = 65_536;
/** Trees of a few megabytes of source fit; a text that asks for more ends the instance. */
const maxMemoryBytes = 256 << 20;

/** One instance of tree-sitter: once it has failed to allocate, nothing in it works any more. */
interface Instance {
  readonly treeSitter: Promise<TreeSitter>;
  readonly grammars: Map<Grammar, Promise<LoadedGrammar>>;
}

let instance: Instance | undefined;

function isTreeSitter(module: unknown): module is TreeSitter {
  return typeof module === 'object' && module !== null && 'Parser' in module && 'Query' in module;
}

/** A fresh instance, with a memory of its own. As a CommonJS module it can be forgotten, and its memory freed. */
async function startTreeSitter(): Promise<TreeSitter> {
  const treeSitter: unknown = require('web-tree-sitter');
  if (!isTreeSitter(treeSitter)) throw new TypeError('web-tree-sitter is not the module that was expected');
  const memory = new WebAssembly.Memory({ initial: (32 << 20) / pageBytes, maximum: maxMemoryBytes / pageBytes });
  await treeSitter.Parser.init({ wasmMemory: memory });
  return treeSitter;
}

async function load(grammar: Grammar, starting: Promise<TreeSitter>): Promise<LoadedGrammar> {
  try {
    const treeSitter = await starting;
    const file = require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`);
    const language = await treeSitter.Language.load(file);
    return { treeSitter, language, query: new treeSitter.Query(language, outlineQueries[grammar]) };
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
  instance ??= { treeSitter: startTreeSitter(), grammars: new Map() };
  let loaded = instance.grammars.get(grammar);
  if (loaded === undefined) {
    loaded = load(grammar, instance.treeSitter);
    instance.grammars.set(grammar, loaded);
  }
  return loaded;
}

/** Gives up the instance of tree-sitter that has failed, and its memory; the next grammar starts another. */
export function discardGrammars(): void {
  instance = undefined;
  Reflect.deleteProperty(require.cache, require.resolve('web-tree-sitter'));
}
