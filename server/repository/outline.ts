import type { Node, Parser, Query, Tree } from 'web-tree-sitter';
import type { DefinitionKind } from '../contract/words.js';
import { discardGrammars, loadGrammar } from './grammars.js';
import { languageOf } from './languages.js';
import type { Definition, RepositoryFile } from './source.js';

/** Longer texts have no outline: no person wrote them. UTF-16 units. */
const maxTextLength = 2 << 20;
/**
 * Hostile text can cost more than linear time; an outline that takes longer is given up. What counts is the processor's
 * time, so that nothing is lost on a busy machine: both the clock and the process's own time must have passed, as the
 * process has other threads.
 */
const maxMilliseconds = 2_000;
/** … unless so little was done that the text cannot be the cause. Steps that the parser reports. */
const leastSteps = 16_384;
/** With steps that take this long in all, it is. */
const mostMilliseconds = 8_000;
const maxNameLength = 200;

/** Why a file has no outline. */
export type OutlineProblem = 'no-grammar' | 'too-long' | 'too-slow' | 'failed';

/** What a file defines, and why that is not known where it is not. */
export interface Outline {
  readonly definitions: readonly Definition[];
  readonly problem?: OutlineProblem;
}

/** Tells when an outline has taken too long. */
class OutlineLimit {
  private readonly started = performance.now();
  private readonly processor = process.cpuUsage();
  private steps = 0;
  isExceeded = false;

  /** To be called now and then; true once it is exceeded. */
  readonly check = (): boolean => {
    this.steps += 1;
    if (!this.isExceeded && performance.now() - this.started > maxMilliseconds) {
      const { user, system } = process.cpuUsage(this.processor);
      const milliseconds = Math.min(performance.now() - this.started, (user + system) / 1000);
      this.isExceeded = milliseconds > (this.steps > leastSteps ? maxMilliseconds : mostMilliseconds);
    }
    return this.isExceeded;
  };
}

const kinds: ReadonlyMap<string, DefinitionKind> = new Map<string, DefinitionKind>([
  ['function', 'function'],
  ['prototype', 'function'],
  ['method', 'method'],
  ['class', 'class'],
  ['interface', 'interface'],
  ['type', 'type'],
  ['enum', 'enum'],
  ['constant', 'constant'],
  ['variable', 'variable'],
  ['module', 'module'],
  ['field', 'field'],
]);

/**
 * Gives texts memory of their own, equal ones the same. A piece of a text refers to the whole of it in V8: a name would
 * keep its file's source for as long as the outline is held.
 */
class Names {
  private readonly known = new Map<string, string>();

  keep(name: string): string {
    let kept = this.known.get(name);
    if (kept === undefined) {
      kept = Buffer.from(name).toString();
      this.known.set(kept, kept);
    }
    return kept;
  }
}

/** A match of a query: something with a name and a range, all 0-based. */
interface Place {
  /** Undefined for a scope, which defines nothing itself. */
  readonly kind: DefinitionKind | undefined;
  readonly isPrototype: boolean;
  readonly name: string;
  readonly container: string | undefined;
  readonly nameIndex: number;
  readonly nameRow: number;
  readonly begin: number;
  readonly end: number;
  readonly firstRow: number;
  readonly lastRow: number;
  readonly pattern: number;
}

/** Where comments, decorators and wrapping nodes begin, by where they end. */
interface Leads {
  readonly firstRowByLastRow: Map<number, number>;
  readonly firstRowByWrapEnd: Map<number, number>;
}

/** A node that ends at the beginning of a line ends with the line before. */
function lastRowOf(node: Node): number {
  const { row, column } = node.endPosition;
  return column === 0 && row > node.startPosition.row ? row - 1 : row;
}

/** `A<T>::b` is `b` in `A`. */
function splitQualified(text: string): { name: string; container: string | undefined } {
  const parts = text.replaceAll(/<[^<>]*>/g, '').split('::');
  return { name: (parts.at(-1) ?? '').trim(), container: parts.at(-2)?.trim() };
}

function placeOf(
  pattern: number,
  captures: readonly { readonly name: string; readonly node: Node }[],
): Place | undefined {
  const around = captures.find(({ name }) => name === 'scope' || kinds.has(name));
  const named = captures.find(({ name }) => name === 'name' || name === 'qualified');
  if (around === undefined || named === undefined) return undefined;
  const { name, container } =
    named.name === 'qualified'
      ? splitQualified(named.node.text)
      : { name: named.node.text.replace(/^:|^(['"`])(.*)\1$/s, '$2'), container: undefined };
  if (name === '' || name.length > maxNameLength || name.includes('\n')) return undefined;
  return {
    kind: kinds.get(around.name),
    isPrototype: around.name === 'prototype',
    name,
    container: container ?? captures.find((capture) => capture.name === 'container')?.node.text,
    nameIndex: named.node.startIndex,
    nameRow: named.node.endPosition.row,
    begin: around.node.startIndex,
    end: around.node.endIndex,
    firstRow: around.node.startPosition.row,
    lastRow: lastRowOf(around.node),
    pattern,
  };
}

/** Whether nothing stands before the node in its line. */
function beginsLine(node: Node, text: string): boolean {
  const { startIndex } = node;
  return text.slice(text.lastIndexOf('\n', startIndex - 1) + 1, startIndex).trim() === '';
}

/** Undefined when it took too long. */
function readMatches(
  tree: Tree,
  query: Query,
  text: string,
  limit: OutlineLimit,
): { places: Place[]; leads: Leads } | undefined {
  const matches = query.matches(tree.rootNode, { progressCallback: limit.check });
  if (limit.isExceeded) return undefined;
  const places: Place[] = [];
  const leads: Leads = { firstRowByLastRow: new Map(), firstRowByWrapEnd: new Map() };
  for (const { patternIndex, captures } of matches) {
    const first = captures[0];
    if (first?.name === 'lead') {
      if (!beginsLine(first.node, text)) continue;
      const lastRow = lastRowOf(first.node);
      const firstRow = Math.min(leads.firstRowByLastRow.get(lastRow) ?? Infinity, first.node.startPosition.row);
      leads.firstRowByLastRow.set(lastRow, firstRow);
    } else if (first?.name === 'wrap') {
      const { endIndex, startPosition, type } = first.node;
      // The semicolon behind a C++ class belongs to the template around it.
      const end = type === 'template_declaration' && text[endIndex - 1] === ';' ? endIndex - 1 : endIndex;
      leads.firstRowByWrapEnd.set(end, startPosition.row);
    } else {
      const place = placeOf(patternIndex, captures);
      if (place !== undefined) places.push(place);
    }
  }
  return { places, leads };
}

/** The row on which a definition begins with what leads to it: no blank line parts them. */
function leadingRow(place: Place, leads: Leads): number {
  let row = Math.min(place.firstRow, leads.firstRowByWrapEnd.get(place.end) ?? place.firstRow);
  row = Math.min(row, leads.firstRowByLastRow.get(row) ?? row);
  for (let above = leads.firstRowByLastRow.get(row - 1); above !== undefined;) {
    row = above;
    above = leads.firstRowByLastRow.get(row - 1);
  }
  return row;
}

const isFunction = (place: Place): boolean => place.kind === 'function' || place.kind === 'method';

/** True for what gives its functions the name of methods. */
function hasMethods(place: Place): boolean {
  return place.kind === undefined || place.kind === 'class' || place.kind === 'interface' || place.kind === 'enum';
}

/** Definitions in the order of the text, each with the innermost place that it stands in. */
function toDefinitions(path: string, { places, leads }: { places: Place[]; leads: Leads }): Definition[] {
  places.sort((a, b) => a.begin - b.begin || b.end - a.end || a.nameIndex - b.nameIndex || a.pattern - b.pattern);
  const definitions: Definition[] = [];
  const kept = new Names();
  const names = new Set<number>();
  const open: Place[] = [];
  for (const place of places) {
    for (let top = open.at(-1); top !== undefined && top.end <= place.begin; top = open.at(-1)) open.pop();
    const isAgain = names.has(place.nameIndex);
    if (isAgain) continue;
    names.add(place.nameIndex);
    const around = open.findLast((outer) => outer.begin !== place.begin || outer.end !== place.end);
    const isLocal = around !== undefined && isFunction(around);
    if (isLocal && (place.isPrototype || place.kind === 'variable' || place.kind === 'constant')) continue;
    open.push(place);
    if (place.kind === undefined) continue;
    const sharesLine = around?.firstRow === place.firstRow || around?.nameRow === place.firstRow;
    const isMethod = place.kind === 'function' && (place.container !== undefined || (around && hasMethods(around)));
    const container = place.container ?? around?.name;
    definitions.push({
      name: kept.keep(place.name),
      kind: isMethod === true ? 'method' : place.kind,
      path,
      line: (sharesLine ? place.firstRow : leadingRow(place, leads)) + 1,
      endLine: place.lastRow + 1,
      nameLine: place.nameRow + 1,
      container: container === undefined ? undefined : kept.keep(container),
    });
  }
  return definitions;
}

/**
 * The named definitions of a source text, in its order: functions, classes and their members, types, constants of the
 * top level. A constant whose value is a function counts as one. A file without a grammar has none, nor has a text that
 * cannot be parsed in a few seconds of the processor's time and a quarter of a gigabyte of memory; that is said.
 *
 * @param text without a byte-order mark
 * @throws LocretError `engine-failed` when the grammar cannot be loaded
 */
export async function outlineText(file: Pick<RepositoryFile, 'path'>, text: string): Promise<Outline> {
  const grammar = languageOf(file.path);
  if (grammar === undefined) return { definitions: [], problem: 'no-grammar' };
  if (text.length > maxTextLength) return { definitions: [], problem: 'too-long' };
  const { treeSitter, language, query } = await loadGrammar(grammar);
  const limit = new OutlineLimit();
  let parser: Parser | undefined;
  let tree: Tree | null = null;
  try {
    parser = new treeSitter.Parser();
    parser.setLanguage(language);
    tree = parser.parse(text, null, { progressCallback: limit.check });
    const matches = tree === null ? undefined : readMatches(tree, query, text, limit);
    const outline: Outline =
      matches === undefined
        ? { definitions: [], problem: 'too-slow' }
        : { definitions: toDefinitions(file.path, matches) };
    tree?.delete();
    parser.delete();
    return outline;
  } catch {
    discardGrammars([tree, parser]);
    return { definitions: [], problem: 'failed' };
  }
}

/** The definitions of {@link outlineText} alone. */
export async function outlineSource(file: RepositoryFile, text: string): Promise<readonly Definition[]> {
  return (await outlineText(file, text)).definitions;
}
