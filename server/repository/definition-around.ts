import type { Definition } from './source.js';

/**
 * The innermost definition that covers lines: a method before its class. Fields do not count, they belong to what they
 * are fields of; variables inside functions are no definitions.
 *
 * @param definitions of one file
 * @param line first line, 1-based
 * @param endLine last line, inclusive
 */
export function definitionAround(
  definitions: readonly Definition[],
  line: number,
  endLine = line,
): Definition | undefined {
  let innermost: Definition | undefined;
  for (const definition of definitions) {
    if (definition.kind === 'field' || definition.line > line || definition.endLine < endLine) continue;
    const isInner =
      innermost === undefined || definition.endLine - definition.line <= innermost.endLine - innermost.line;
    if (isInner) innermost = definition;
  }
  return innermost;
}
