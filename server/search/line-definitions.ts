import { lineLanguageOf } from './line-languages.js';
import type { LineKind, LinePattern } from './line-languages/pattern.js';

/** Longer lines define nothing: no person wrote them. Bytes. */
const maxLineLength = 300;

/** A name that a line defines. */
export interface LineDefinition {
  readonly name: string;
  readonly kind: LineKind;
  /** 0-based. */
  readonly row: number;
  /** Innermost class, module, section that it stands in. */
  readonly container: string | undefined;
  /** Inside of a function: nobody asks for it first. */
  readonly local: boolean;
  /** Whether a passage may begin with it. */
  readonly isBlock: boolean;
}

/** The lines of a text, as byte offsets, and the names that they define. */
export interface LineScan {
  /** Where each line begins; one more than there are lines. */
  readonly begins: Uint32Array;
  readonly definitions: readonly LineDefinition[];
}

interface Block {
  readonly indent: number;
  readonly name: string | undefined;
  readonly isFunction: boolean;
}

const containers: ReadonlySet<LineKind> = new Set<LineKind>([
  'class',
  'interface',
  'enum',
  'module',
  'type',
  'section',
  'resource',
  'table',
  'test',
]);
const blocks: ReadonlySet<LineKind> = new Set<LineKind>([
  ...([
    'function',
    'method',
    'class',
    'interface',
    'enum',
    'module',
    'type',
    'heading',
    'section',
    'target',
    'stage',
    'resource',
    'table',
    'test',
    'label',
    'entry',
  ] as const),
]);

const underline = /^([=\-~^"'#*+`:.])\1{2,}[ \t]*$/;
/** Lines that end or go on with what is above them, however little they are indented. */
const goesOn = /^\s*(?:[{})\]#>]|end\b|else\b|\/\/|\*|[A-Za-z_]\w*:\s*$)/;

/** Where each line of a text begins, and its end. */
export function lineBegins(bytes: Uint8Array): Uint32Array {
  let count = 1;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  if (bytes.length === 0 || bytes[bytes.length - 1] === 10) count -= 1;
  const begins = new Uint32Array(count + 1);
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && line < count; at = bytes.indexOf(10, at + 1)) {
    begins[line] = at + 1;
    line += 1;
  }
  begins[count] = bytes.length;
  return begins;
}

class Scan {
  readonly definitions: LineDefinition[] = [];
  private readonly open: Block[] = [];
  /** Of settings, which are not indented below it. */
  private section: string | undefined;

  constructor(
    private readonly patterns: readonly LinePattern[],
    private readonly form: 'code' | 'prose' | 'data',
  ) {}

  line(text: string, row: number, indent: number): void {
    if (!goesOn.test(text)) this.leave(indent);
    for (const { kind, pattern, where, scope, except } of this.patterns) {
      if (indent > 0 ? where === 'top' : where === 'inner') continue;
      pattern.lastIndex = indent;
      const match = pattern.exec(text);
      const name = match?.[1];
      if (name === undefined || except?.test(name) === true) continue;
      const local = kind !== 'test' && this.open.at(-1)?.isFunction === true;
      if (local && (where === 'member' || where === 'inner')) return;
      this.add(name, kind, row, indent, scope === true, local);
      return;
    }
  }

  private leave(indent: number): void {
    while ((this.open.at(-1)?.indent ?? -1) >= indent) this.open.pop();
  }

  private add(name: string, kind: LineKind, row: number, indent: number, scope: boolean, local: boolean): void {
    const around = this.open.findLast((block) => block.name !== undefined && !block.isFunction)?.name;
    const isSection = this.form === 'data' && kind === 'section';
    const container = around ?? (isSection ? undefined : this.section);
    if (isSection) this.section = name;
    const decoded = /[\x80-\xff]/.test(name) ? Buffer.from(name, 'latin1').toString() : name;
    const isFunction = kind === 'function' || kind === 'method';
    const isMember = !local && isFunction && container !== undefined && kind === 'function' && this.form === 'code';
    if (!scope) {
      const isBlock = blocks.has(kind) && !local;
      this.definitions.push({ name: decoded, kind: isMember ? 'method' : kind, row, container, local, isBlock });
    }
    if (isFunction || containers.has(kind) || (this.form === 'data' && kind === 'key')) {
      this.open.push({
        indent,
        name: kind === 'test' ? undefined : decoded,
        isFunction: isFunction || kind === 'test',
      });
    }
  }

  heading(name: string, row: number): void {
    const decoded = Buffer.from(name, 'latin1').toString();
    this.definitions.push({ name: decoded, kind: 'heading', row, container: undefined, local: false, isBlock: true });
  }
}

/**
 * Finds what the lines of a text define, in one pass and without a grammar: functions, classes and constants of some sixty
 * languages by how their lines begin, headings, keys, sections, targets, selectors. What stands inside what is told by
 * indentation.
 *
 * @param text the file's bytes, as Latin-1: a character is a byte
 */
export function scanLines(filePath: string, bytes: Uint8Array, text: string): LineScan {
  const begins = lineBegins(bytes);
  const { patterns, form } = lineLanguageOf(filePath);
  const scan = new Scan(patterns, form);
  let before = '';
  for (let row = 0; row + 1 < begins.length; row += 1) {
    const begin = begins[row] ?? 0;
    const end = begins[row + 1] ?? 0;
    if (end - begin > maxLineLength) {
      before = '';
      continue;
    }
    const line = text.slice(begin, end).trimEnd();
    if (form === 'prose' && before !== '' && underline.test(line) && line.length + 2 >= before.length) {
      scan.heading(before.trim(), row - 1);
      before = '';
      continue;
    }
    if (form === 'prose') before = /^[ \t]/.test(line) || underline.test(line) ? '' : line;
    if (line === '' || patterns.length === 0) continue;
    let indent = 0;
    while (line.charCodeAt(indent) === 32 || line.charCodeAt(indent) === 9) indent += 1;
    scan.line(line, row, indent);
  }
  return { begins, definitions: scan.definitions };
}
