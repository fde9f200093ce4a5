import type { CurrentText, CurrentTexts } from './current-text.js';
import { roleInLine, wordPattern, type LineRole } from './line-role.js';
import type { PassageIndex } from './passage-index.js';
import type { PathKind } from './path-kind.js';
import { placeText } from './place.js';
import type { ScoredPlace } from './places.js';
import { qualifiedParts } from './query.js';

const worthOfUse: Readonly<Record<LineRole, number>> = {
  calls: 1,
  declares: 0.7,
  reads: 0.8,
  mentions: 0.7,
  sets: 0.6,
  imports: 0.45,
  comments: 0.2,
};
const worthOfKind: Readonly<Record<PathKind, number>> = {
  source: 1,
  declarations: 0.8,
  example: 0.6,
  test: 0.5,
  data: 0.5,
  document: 0.3,
  changes: 0.15,
};
const whyOfRole: Readonly<Record<LineRole, string>> = {
  calls: 'calls',
  declares: 'names',
  reads: 'reads',
  mentions: 'uses',
  sets: 'sets',
  imports: 'imports',
  comments: 'mentions',
};

/** Files that are looked through for the uses of one name. */
const maxFiles = 200;
/** A line that uses a name in what defines it is worth less: it is a recursion, or another of the name. */
const inItself = 0.4;
/** Each further use in the same definition is worth less. */
const repeated = 0.7;

function usesIn(text: CurrentText, kind: PathKind, rows: readonly [number, number][], name: string): ScoredPlace[] {
  const last = qualifiedParts(name).at(-1) ?? name;
  const qualifier = qualifiedParts(name).at(-2);
  const pattern = wordPattern(last);
  const defined = new Set(text.definitions.filter((each) => each.name === last && !each.local).map(({ row }) => row));
  const times = new Map<number, number>();
  const places: ScoredPlace[] = [];
  for (const [begin, end] of rows) {
    for (let row = begin; row < Math.min(end, text.lines.length); row += 1) {
      const line = text.lines[row] ?? '';
      const role = roleInLine(line, pattern);
      if (role === undefined || defined.has(row)) continue;
      const around = text.around(row);
      const earlier = times.get(around?.row ?? -1) ?? 0;
      times.set(around?.row ?? -1, earlier + 1);
      const isQualified = qualifier !== undefined && line.includes(`${qualifier}.${last}`);
      const score =
        worthOfUse[role] *
        worthOfKind[kind] *
        (isQualified ? 1.3 : 1) *
        (around?.name === last ? inItself : 1) *
        repeated ** earlier;
      const place = {
        path: text.path,
        line: row + 1,
        endLine: row + 1,
        ...(around === undefined ? {} : { name: around.name }),
        text: placeText(line),
        why: `${whyOfRole[role]} ${last}`,
        reason: 'use' as const,
      };
      places.push({ place, score });
    }
  }
  return places;
}

/**
 * Where a name is used: lines that hold it and do not define it; calls before other references, those before imports and
 * comments, sources before tests.
 *
 * @param name as it is written, perhaps with what it belongs to: `app.handle`
 * @param words that are this name
 * @returns best first
 */
export async function findUses(
  index: PassageIndex,
  texts: CurrentTexts,
  name: string,
  words: readonly number[],
): Promise<ScoredPlace[]> {
  const passagesByFile = new Map<number, number[]>();
  for (const word of words) {
    index.forPassagesWith(word, (passage) => {
      const file = index.fileOf(passage);
      const passages = passagesByFile.get(file);
      if (passages === undefined) passagesByFile.set(file, [passage]);
      else if (!passages.includes(passage)) passages.push(passage);
    });
  }
  const files = [...passagesByFile.keys()]
    .map((number) => ({ number, ...index.filePassages(number) }))
    .toSorted((a, b) => worthOfKind[b.file.kind] - worthOfKind[a.file.kind])
    .slice(0, maxFiles);
  const found = await Promise.all(
    files.map(async ({ number, file }) => {
      const text = await texts.read(file.path);
      if (text === undefined) return [];
      const rows = (passagesByFile.get(number) ?? []).map((passage): [number, number] => [
        index.rowOf(passage),
        index.endRowOf(passage),
      ]);
      return usesIn(text, file.kind, rows, name);
    }),
  );
  return found
    .flat()
    .toSorted(
      (a, b) =>
        b.score - a.score ||
        (a.place.path < b.place.path ? -1 : a.place.path > b.place.path ? 1 : a.place.line - b.place.line),
    );
}
