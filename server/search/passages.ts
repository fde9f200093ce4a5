import type { LineDefinition, LineScan } from './line-definitions.js';
import type { LineLanguage } from './line-languages.js';

/** Longer passages are cut into equal pieces. Lines. */
const maxLines = { code: 60, prose: 40, data: 40 } as const;

/** Comments, decorators and attributes: they may lead to the definition below. */
const lead =
  /^\s*(?:\/\/|\/\*|\*|#(?!\s*(?:define|include|if|endif|else)\b)|--|;|<!--|"""|'''|%|@|\[[A-Z]|template\s*<)/;

/** A passage of a text: consecutive lines that are found together. Rows are 0-based. */
export interface Passage {
  readonly row: number;
  /** One past the last. */
  readonly endRow: number;
  /** What it is the text of: the block that it begins with, or goes on with. */
  readonly main: LineDefinition | undefined;
}

function firstRowOf(definition: LineDefinition, lineAt: (row: number) => string, above: number): number {
  let row = definition.row;
  while (row > above && lead.test(lineAt(row - 1))) row -= 1;
  return row;
}

/**
 * Cuts a text into passages: at the lines that begin a function, a class, a section, with the comments above them; what
 * is long into equal pieces.
 *
 * @param lineAt the text of a line
 */
export function cutPassages(
  { form }: Pick<LineLanguage, 'form'>,
  { begins, definitions }: LineScan,
  lineAt: (row: number) => string,
): Passage[] {
  const lines = begins.length - 1;
  const starts: { row: number; main: LineDefinition | undefined }[] = [{ row: 0, main: undefined }];
  for (const definition of definitions) {
    const before = starts.at(-1);
    if (!definition.isBlock || before === undefined) continue;
    const row = form === 'code' ? firstRowOf(definition, lineAt, before.main?.row ?? 0) : definition.row;
    if (row <= before.row) before.main ??= definition;
    else starts.push({ row, main: definition });
  }
  const passages: Passage[] = [];
  starts.forEach(({ row, main }, i) => {
    const end = starts[i + 1]?.row ?? lines;
    const size = Math.ceil((end - row) / Math.max(1, Math.ceil((end - row) / maxLines[form])));
    for (let at = row; at < end; at += size) passages.push({ row: at, endRow: Math.min(end, at + size), main });
  });
  return passages;
}
