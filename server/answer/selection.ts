import { LocretError } from '../errors.js';
import { definitionAround } from '../repository/definition-around.js';
import type { Definition } from '../repository/source.js';
import type { CurrentFile } from './current-files.js';

/** Lines that a question is about, as they stand in an editor, saved or not. */
export interface SelectedLines {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string;
  /** 1-based, inclusive. */
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

/** @throws LocretError invalid-argument for lines that cannot be */
export function checkSelection({ path, line, endLine }: SelectedLines): void {
  if (path !== '' && Number.isSafeInteger(line) && Number.isSafeInteger(endLine) && line >= 1 && endLine >= line)
    return;
  throw new LocretError(
    'invalid-argument',
    `The selection is of "${path}", lines ${line} to ${endLine}; a path and ascending line numbers from 1 were expected.`,
    'Select the lines again.',
  );
}

/** The lines of a selected text. */
export function linesOf({ text }: SelectedLines): string[] {
  return text.replace(/(?:\r\n|\n|\r)$/, '').split(/\r\n|\n|\r/);
}

/** A definition around selected lines, as its file is on disk. */
export interface SelectedDefinition {
  readonly definition: Definition;
  /** True when nothing of it but its leading comment is outside of the selection. */
  readonly isWhole: boolean;
}

/**
 * The innermost definition around selected lines; blank ones at their ends do not count. The file on disk may be older
 * than the editor's text: the lines are looked for where the first of them stands nearest.
 */
export function selectedDefinition(file: CurrentFile, selected: SelectedLines): SelectedDefinition | undefined {
  const texts = linesOf(selected).map((text) => text.trim());
  const first = texts.findIndex((text) => text !== '');
  if (first < 0) return undefined;
  const last = texts.findLastIndex((text) => text !== '');
  const line = nearestLine(file.lines, texts[first] ?? '', selected.line + first);
  const endLine = Math.min(line + last - first, file.lines.length);
  const definition = definitionAround(file.definitions, line, endLine);
  if (definition === undefined) return undefined;
  return { definition, isWhole: line <= definition.nameLine && definition.endLine <= endLine };
}

/** The line of this text, without its indentation, that is nearest to a line; that line itself when there is none. */
function nearestLine(lines: readonly string[], wanted: string, near: number): number {
  let nearest: number | undefined;
  lines.forEach((text, index) => {
    const isNearer = nearest === undefined || Math.abs(index + 1 - near) < Math.abs(nearest - near);
    if (isNearer && text.trim() === wanted) nearest = index + 1;
  });
  return nearest ?? Math.min(near, lines.length);
}
