/** A name that a text gives, and how it is written there. */
export interface NameCandidate {
  /** `Class.method`, `retainTopUnits`, `server/engine/eviction.ts`, … without quotes, call brackets or line. */
  readonly text: string;
  /**
   * `quoted`: in backticks or quotes; `code`: written as code is (camelCase, snake_case, dots, slashes); `word`: a plain
   * word, which is a name only if something is called so.
   */
  readonly form: 'quoted' | 'code' | 'word';
  /** The line of `path:line`. */
  readonly line?: number | undefined;
}

/** Words of questions; a plain word among them is never looked up as a name. */
const questionWords = new Set(
  `a about all an and any are argument arguments as at be been before by call called calls can class classes code come
  comes contain contains could define defined defines definition describe did do does done each equal error exception
  exist explain file files find for from function functions get give gives had has have help here how i if implement
  implemented implementation in into is it its kind know large let line lines list live lives location long made make makes many
  me mean means method methods module my name named names need not of on one or our out parameter parameters path
  please purpose raise raises read repo repository return returned returns run runs same see set should show signature some
  something take takes tell than that the their them then there these they thing this throw throws to type types use
  used uses using value values variable variables was we were what when where whether which who why will with work
  works would you your`.split(/\s+/),
);

const openQuotes: readonly (readonly [open: string, close: string])[] = [
  ['`', '`'],
  ['"', '"'],
  ["'", "'"],
  ['“', '”'],
  ['‘', '’'],
];

/** Longer quotations are prose, not names. */
const maxNameLength = 200;

const identifierLike = /[\p{L}_$@#~][\p{L}\p{N}_$]*(?:(?:\.|::|->|#|\/|-)[\p{L}\p{N}_$][\p{L}\p{N}_$]*)*/gu;

function splitLine(text: string): { text: string; line?: number } {
  const match = /^(.*?[^:]):(?:L)?(\d{1,7})(?:[:-]\d+)*$/.exec(text) ?? /^(.+)#L(\d{1,7})(?:-L?\d+)?$/.exec(text);
  if (match === null) return { text };
  const [, name = text, line = '1'] = match;
  return { text: name, line: Number(line) };
}

/** Strips what surrounds a name in prose: call brackets, type arguments, trailing punctuation, a leading `./`. */
function bareName(text: string): string {
  return text
    .trim()
    .replace(/[.,;:!?]+$/, '')
    .replace(/(?:\(.*\)|<.*>|\[.*\])$/s, '')
    .replace(/^(?:\.\/|@|#|~\/)/, '')
    .replace(/\/$/, '');
}

function looksLikeCode(word: string): boolean {
  return (
    /[_$/]|::|->|\p{L}\.\p{L}|\p{Ll}\p{Lu}|\p{L}\p{N}/u.test(word) ||
    /^\p{Lu}[\p{Lu}\p{N}]{2,}$/u.test(word) ||
    /\.[a-z][a-z0-9]{0,5}$/i.test(word)
  );
}

function quotations(text: string): { quoted: string[]; rest: string } {
  const quoted: string[] = [];
  let rest = text;
  for (const [open, close] of openQuotes) {
    // An apostrophe inside a word opens nothing, and none closes before the end of a word.
    const pattern = new RegExp(
      `(?<![\\p{L}\\p{N}])${open}([^${open}${close}\\n]{1,${maxNameLength}})${close}(?![\\p{L}\\p{N}])`,
      'gu',
    );
    rest = rest.replace(pattern, (_whole, inner: string) => {
      quoted.push(inner);
      return ' ; ';
    });
  }
  return { quoted, rest };
}

/** The plain words of a text that could mean something in a repository, lower-cased, in order. */
export function contentWords(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}][\p{L}\p{N}]+/gu) ?? []).filter((word) => !questionWords.has(word));
}

/**
 * The names in a question or an answer, the surest first: quoted ones, then what is written as code, then plain words. Each text
 * once, in order of appearance within its form.
 */
export function namesInText(text: string): NameCandidate[] {
  const { quoted, rest } = quotations(text);
  const found = new Map<string, NameCandidate>();
  const add = (raw: string, form: NameCandidate['form']): void => {
    if (raw.length > maxNameLength) return;
    const { text: place, line } = splitLine(raw.trim());
    const name = bareName(place);
    if (name === '' || found.has(name)) return;
    found.set(name, { text: name, form, line });
  };
  for (const inner of quoted) add(inner, 'quoted');
  const words = rest
    .split(/[\s,;!?()[\]{}<>"“”`]+/)
    .filter((word) => word.length <= maxNameLength)
    .map((word) => word.replace(/[.:'’]+$/, ''));
  for (const word of words) if (looksLikeCode(word)) add(word, 'code');
  for (const word of words) {
    if (looksLikeCode(word)) continue;
    for (const [name] of word.matchAll(identifierLike)) {
      if (name.length > 1 && !questionWords.has(name.toLowerCase())) add(name, 'word');
    }
  }
  return [...found.values()];
}
