import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { systemErrorCode } from '../errors.js';
import { openRegularFile } from '../repository/open-regular-file.js';
import { endOfBlock } from './block-end.js';
import { scanLines, type LineDefinition } from './line-definitions.js';
import { lineLanguageOf } from './line-languages.js';

/** A text of the repository as it is now. */
export class CurrentText {
  private scanned: readonly LineDefinition[] | undefined;
  private split: readonly string[] | undefined;

  constructor(
    readonly path: string,
    private readonly bytes: Buffer,
    /** Milliseconds. */
    readonly modified: number,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  /** Without line ends; index 0 is line 1. */
  get lines(): readonly string[] {
    if (this.split === undefined) {
      const text = this.bytes.toString('utf8').replace(/^\uFEFF/, '');
      const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
      if (lines.length > 1 && lines.at(-1) === '') lines.pop();
      this.split = lines;
    }
    return this.split;
  }

  /** What its lines define, in order. */
  get definitions(): readonly LineDefinition[] {
    this.scanned ??= scanLines(this.path, this.bytes, this.bytes.toString('latin1')).definitions;
    return this.scanned;
  }

  /** The last row of what a definition defines, 0-based: of a heading all up to the next one. */
  endOf({ row, kind }: Pick<LineDefinition, 'row' | 'kind'>): number {
    const isProse = kind === 'heading' || kind === 'section';
    if (!isProse || lineLanguageOf(this.path).form === 'code') return endOfBlock(this.lines, row);
    const next = this.definitions.find((other) => other.row > row && other.kind === kind);
    let last = (next?.row ?? this.lines.length) - 1;
    while (last > row && (this.lines[last] ?? '').trim() === '') last -= 1;
    return last;
  }

  /** The innermost function, class or section that a row stands in. */
  around(row: number): LineDefinition | undefined {
    return this.definitions.findLast(
      (definition) => definition.isBlock && definition.row <= row && this.endOf(definition) >= row,
    );
  }
}

/** Reads texts of a repository as they are now, each once; nothing outside of its root, and through no link. */
export class CurrentTexts {
  private readonly texts = new Map<string, Promise<CurrentText | undefined>>();

  /**
   * @param root absolute, links resolved
   * @param maxBytes larger files are not read
   */
  constructor(
    private readonly root: string,
    private readonly maxBytes: number,
  ) {}

  /** The text, or undefined where there is none any more. */
  read(filePath: string): Promise<CurrentText | undefined> {
    let reading = this.texts.get(filePath);
    if (reading === undefined) {
      reading = this.open(filePath);
      this.texts.set(filePath, reading);
    }
    return reading;
  }

  private async open(filePath: string): Promise<CurrentText | undefined> {
    try {
      const real = await realpath(path.join(this.root, filePath));
      const relative = path.relative(this.root, real);
      if (relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)) return undefined;
      const opened = await openRegularFile(real);
      if (opened === undefined) return undefined;
      const { handle, status } = opened;
      try {
        if (status.size > this.maxBytes) return undefined;
        return new CurrentText(filePath, await handle.readFile(), status.mtimeMs);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
  }
}
