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

const pageBytes = 65_536;
/** Trees of a few megabytes of source fit; a text that asks for more ends the instance. */
const maxMemoryBytes = 256 << 20;

/** One instance of tree-sitter: once it has failed to allocate, nothing in it works any more. */
interface Instance {
  readonly require: NodeJS.Require;
  readonly treeSitter: Promise<TreeSitter>;
  readonly grammars: Map<Grammar, Promise<LoadedGrammar>>;
  readonly queries: WebTreeSitter.Query[];
}

let instance: Instance | undefined;

function isTreeSitter(module: unknown): module is TreeSitter {
  return typeof module === 'object' && module !== null && 'Parser' in module && 'Query' in module;
}

/** A fresh instance, with a memory of its own. As a CommonJS module it can be forgotten, and its memory freed. */
async function startTreeSitter(require: NodeJS.Require): Promise<TreeSitter> {
  const treeSitter: unknown = require('web-tree-sitter');
  if (!isTreeSitter(treeSitter)) throw new TypeError('web-tree-sitter is not the module that was expected');
  const memory = new WebAssembly.Memory({ initial: (32 << 20) / pageBytes, maximum: maxMemoryBytes / pageBytes });
  // What it would say on standard error when it fails is told by an exception, too.
  await treeSitter.Parser.init({ wasmMemory: memory, printErr: () => undefined });
  return treeSitter;
}

function startInstance(): Instance {
  // Of its own for each instance: it would keep hold of what it has loaded.
  const require = createRequire(import.meta.url);
  return { require, treeSitter: startTreeSitter(require), grammars: new Map(), queries: [] };
}

async function load(grammar: Grammar, { require, treeSitter: starting, queries }: Instance): Promise<LoadedGrammar> {
  try {
    const treeSitter = await starting;
    const file = require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`);
    const language = await treeSitter.Language.load(file);
    const query = new treeSitter.Query(language, outlineQueries[grammar]);
    queries.push(query);
    return { treeSitter, language, query };
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
  instance ??= startInstance();
  let loaded = instance.grammars.get(grammar);
  if (loaded === undefined) {
    loaded = load(grammar, instance);
    instance.grammars.set(grammar, loaded);
  }
  return loaded;
}

/**
 * Gives up the instance of tree-sitter that has failed, and its memory; the next grammar starts another.
 *
 * @param objects of the instance that are still there
 */
export function discardGrammars(objects: readonly ({ delete(): void } | null | undefined)[]): void {
  for (const object of [...objects, ...(instance?.queries ?? [])]) {
    try {
      // So its finalizer, which would fail in the background, is not run.
      object?.delete();
    } catch {
      // It has no memory to free: the whole instance goes.
    }
  }
  if (instance === undefined) return;
  Reflect.deleteProperty(instance.require.cache, instance.require.resolve('web-tree-sitter'));
  instance = undefined;
}
