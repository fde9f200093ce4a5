/** What a line does with a name that stands in it. */
export type LineRole = 'sets' | 'declares' | 'calls' | 'reads' | 'imports' | 'mentions' | 'comments';

const comment = /^\s*(?:\/\/|\/?\*|#(?!\s*(?:define|include|if)\b|\[|!)|--\s|;|<!--|%|"""|''')/;
const importing =
  /^\s*(?:import|from|export\s.*\bfrom|use|using|require|include|#\s*include|@import|source|load|library|open)\b|\brequire\s*\(/;
const reading =
  /\b(?:getenv|environ|env|ENV|process\.env|System\.getProperty|config|settings|options|argv|args|flags?)\b/;
const declaring =
  /\b(?:add_argument|add_option|addOption|option|argument|flag|Flag|arg|opt|parse_flag|StringVar|BoolVar|IntVar|register|command|alias|define)\w*!?\s*\(|--|\bname_long\b/;

/** What stands before a name that is given as a value: `name: x`, `id="x"`, `container_name: x`. */
const naming = /\b(?:\w*[_-])?(?:name|id|title|key|alias|label|hostname|stage|group)['"]?\s*[:=({]\s*['"`{]{0,2}$/i;

/** A pattern for regular expressions that matches just this text. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Finds a word in lines: not inside of a longer one. */
export function wordPattern(word: string): RegExp {
  const begin = /^[\p{L}\p{N}_$]/u.test(word) ? String.raw`(?<![\p{L}\p{N}_$])` : '';
  const end = /[\p{L}\p{N}_$]$/u.test(word) ? String.raw`(?![\p{L}\p{N}_$])` : '';
  return new RegExp(`${begin}${escaped(word)}${end}`, 'u');
}

/**
 * What a line does with a word that stands in it, by how it is written; undefined where it does not stand there.
 *
 * @param pattern of {@link wordPattern}
 */
export function roleInLine(line: string, pattern: RegExp): LineRole | undefined {
  const match = pattern.exec(line);
  if (match === null) return undefined;
  const before = line.slice(0, match.index);
  const after = line.slice(match.index + match[0].length);
  if (comment.test(line)) return 'comments';
  if (importing.test(line)) return 'imports';
  if (/^['"`\]]?\s*(?:\??:(?!:)|:?=(?![=>])|\?=|<-)\s*/.test(after) && /^[\s'"`*\-.\w$[]*$/.test(before)) return 'sets';
  if (naming.test(before)) return 'declares';
  if (declaring.test(line) && /['"`]-{0,2}$/.test(before)) return 'declares';
  if (/^\s*(?:<[^<>()]*>)?(?:\?\.)?!?\s*\(/.test(after)) return 'calls';
  if (/['"`(]$/.test(before) && reading.test(before)) return 'reads';
  return 'mentions';
}

/** How good a place is where nothing is called by a name. */
export const worthOfRole: Readonly<Record<LineRole, number>> = {
  sets: 1.5,
  declares: 1.4,
  reads: 1.2,
  calls: 1.1,
  mentions: 1,
  imports: 0.8,
  comments: 0.75,
};
