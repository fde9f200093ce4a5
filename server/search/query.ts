import { partsOf, termsOf } from './words.js';

/** A name that a query gives, and how it is written there. */
export interface QueryName {
  /** Without quotes, call brackets or line. */
  readonly text: string;
  /**
   * `quoted`: in backticks or quotes, or all that the query is; `code`: written as code is; `word`: a capitalized word, or
   * one of few.
   */
  readonly form: 'quoted' | 'code' | 'word';
  /** The line of `path:line`. */
  readonly line?: number;
}

/** What a query asks for. */
export interface Query {
  readonly text: string;
  /** The surest first. */
  readonly names: readonly QueryName[];
  /** Terms of its words, with their weights; words that every question has are left out. */
  readonly terms: ReadonlyMap<string, number>;
  /** Plain words as they are written, lower-cased, without those that every question has; of names, their parts. */
  readonly words: readonly string[];
  readonly asks: {
    /** Speaks of tests. */
    readonly tests: boolean;
    /** Wants the tests of something rather than the thing. */
    readonly testsOf: boolean;
    /** Wants to know where something is used. */
    readonly uses: boolean;
    /** Speaks of a folder. */
    readonly folder: boolean;
  };
}

/** Words that never say what is looked for. */
const functionWords: ReadonlySet<string> = new Set(
  `a about across all also an and another any are as at be because been being between both but by can could did do does
  during each for from had has have how i if in into is it its many may me might more most must my no not of on only
  onto or other our out over own please same shall she should since so some such than that the their them then there
  these they this those through to too under up upon us via was we were what when where whether which while who whom
  whose why will with within without would you your`.split(/\s+/),
);
/** Verbs that seldom say it: only where nothing else does. */
const weakWords: ReadonlySet<string> = new Set(
  'find get gets give given let like made make set show take tell use used uses using'.split(' '),
);
const emptyWords: ReadonlySet<string> = new Set([...functionWords, ...[...weakWords].filter((word) => word !== 'set')]);

/** What a question asks of a thing rather than names it. */
const askingWords: ReadonlySet<string> = new Set(
  `called caller callers calls default defined definition explain file files folder directory function handled
  implemented located location mean means place returns set value values usage usages referenced references reference
  declared code class method tests test tested line lines name named work works happen happens`.split(/\s+/),
);

const openQuotes: readonly (readonly [open: string, close: string])[] = [
  ['`', '`'],
  ['"', '"'],
  ["'", "'"],
  ['“', '”'],
  ['‘', '’'],
  ['„', '“'],
  ['«', '»'],
];

/** Longer quotations are prose, not names. */
const maxNameLength = 200;
/** Longer queries are cut: what is pasted is not asked for word by word. */
const maxQueryLength = 4_000;
/** In queries of no more words, those that ask are not what is asked for. */
const maxShortWords = 10;
const weightOfAsking = 0.3;
/** More names say no more. */
const maxNames = 24;

function splitLine(text: string): { text: string; line?: number } {
  const match =
    /^([^:\s]{1,300}\.\w{1,10}):(?:L)?(\d{1,7})(?:[:-]\d{1,7})*$/.exec(text) ??
    /^([^\s#]{1,300})#L(\d{1,7})(?:-L?\d{1,7})?$/.exec(text);
  return match?.[1] === undefined ? { text } : { text: match[1], line: Number(match[2]) };
}

/** Strips what surrounds a name in prose: call brackets, type arguments, trailing punctuation, a leading `./`. */
function bareName(text: string): string {
  return text
    .trim()
    .replace(/[.,;:!?]+$/, '')
    .replace(/(?:\([^()]*\)|<[^<>]*>|\[[^[\]]*\])$/, '')
    .replace(/^(?:\.\/|~\/)/, '')
    .replace(/(?<=[^/])\/$/, '');
}

function looksLikeCode(word: string): boolean {
  return (
    /[_$/\\]|::|->|[\p{L}\p{N}]\.[\p{L}_]|\p{Ll}\p{Lu}|\p{L}\p{N}|^--?[\p{L}]|^[.#@][\p{L}_]/u.test(word) ||
    /^\p{Lu}[\p{Lu}\p{N}]{2,}$/u.test(word) ||
    /^[\p{Ll}\p{N}]+(?:-[\p{Ll}\p{N}]+)+$/u.test(word)
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

/** Whether a query is a sentence or a question rather than a name or some words. */
function isSentence(words: readonly string[]): boolean {
  return words.length > 5 || words.some((word) => emptyWords.has(word) && word.length > 1);
}

/** The words that say what is looked for; where there are none, verbs that may be names. */
function contentOf(words: readonly string[]): string[] {
  const content = words.filter((word) => !emptyWords.has(word) && !askingWords.has(word));
  return content.length > 0 ? content : words.filter((word) => weakWords.has(word));
}

function namesOf(text: string): QueryName[] {
  const found = new Map<string, QueryName>();
  const add = (raw: string, form: QueryName['form']): void => {
    if (raw.length > maxNameLength || found.size >= maxNames) return;
    const { text: place, line } = splitLine(raw.trim());
    const name = bareName(place);
    if (name === '' || found.has(name) || !/[\p{L}\p{N}]/u.test(name)) return;
    found.set(name, { text: name, form, ...(line === undefined ? {} : { line }) });
  };
  const { quoted, rest } = quotations(text);
  for (const inner of quoted) add(inner, 'quoted');
  const words = rest
    .split(/[\s,;!?()[\]{}<>"“”„«»`]+/)
    .map((word) => word.replace(/[.:'’]+$/, '').replace(/['’]s$/, ''))
    .filter((word) => word !== '');
  const lower = words.map((word) => word.toLowerCase());
  if (quoted.length === 0 && words.length > 0 && !isSentence(lower)) add(text, 'quoted');
  for (const word of words) if (looksLikeCode(word)) add(word, 'code');
  const content = contentOf(lower);
  words.forEach((word, at) => {
    if (looksLikeCode(word) || !content.includes(lower[at] ?? '')) return;
    const isCapitalized = at > 0 && /^\p{Lu}/u.test(word);
    if (isCapitalized || content.length === 1 || !isSentence(lower)) add(word, 'word');
  });
  return [...found.values()];
}

function termsOfText(text: string): { terms: Map<string, number>; words: string[] } {
  const found = text.match(/[\p{L}_$][\p{L}\p{N}_$]*(?:-[\p{L}_$][\p{L}\p{N}_$]*)*|\p{N}{1,6}/gu) ?? [];
  const hasContent = found.some((word) => !emptyWords.has(word.toLowerCase()) && !askingWords.has(word.toLowerCase()));
  const empty = hasContent ? emptyWords : functionWords;
  const isShort = hasContent && found.length <= maxShortWords;
  const asks = (word: string): boolean => isShort && askingWords.has(word) && !/^tests?$/.test(word);
  const terms = new Map<string, number>();
  const words: string[] = [];
  for (const word of found) {
    if (empty.has(word.toLowerCase())) continue;
    const weight = asks(word.toLowerCase()) ? weightOfAsking : 1;
    for (const term of termsOf(word)) if (term.length > 1 && !empty.has(term)) terms.set(term, weight);
    if (weight === 1) words.push(...partsOf(word).filter((part) => !empty.has(part)));
  }
  return { terms, words };
}

const asksForTests = /\b(?:tests?|tested|testing|specs?|test suites?|unittests?)\b/i;
const use = String.raw`(?:calls?|called|invoke[sd]?|uses?|used|using|usages?|referenced|references?|imports?|imported|callers?|users)`;
/** `Who calls X?`, `Where is X used?`, `callers of X`, `find all references to X`. */
const asksForUses = new RegExp(
  String.raw`^\W*(?:(?:who|what|which|where|wer|was|wo)\b.{0,80}\b${use}\b|(?:find|show|list|all)\b.{0,20}\b${use}\b|${use}\s+(?:of|to)\b)`,
  'i',
);
/** Longer questions ask for more than where something is used, or its tests. Words. */
const maxWordsOfOneWish = 9;
const asksForFolder = /\b(?:folder|directory|dir|ordner|verzeichnis|package)\b/i;

/** Reads a query: the names in it, its words, and what it asks for. */
export function readQuery(text: string): Query {
  const cut = text.slice(0, maxQueryLength);
  const isShort = cut.trim().split(/\s+/).length <= maxWordsOfOneWish;
  return {
    text: cut,
    names: namesOf(cut),
    ...termsOfText(cut),
    asks: {
      tests: asksForTests.test(cut),
      testsOf: isShort && /\b(?:tests?|specs?)\s+(?:for|of|on)\b|\btested\b/i.test(cut),
      uses: isShort && asksForUses.test(cut),
      folder: asksForFolder.test(cut),
    },
  };
}

/** A name in parts: `Class.method`, `module::function`, `object->member`, `Class#method`. */
export function qualifiedParts(name: string): string[] {
  return name.split(/\.|::|->|#|\/|\\/).filter((part) => part !== '');
}

/** How much of what a query says is this name, between 0 and 1. */
export function shareOf(query: Query, name: string): number {
  const own = new Set(partsOf(name));
  return query.words.filter((word) => own.has(word)).length / Math.max(1, query.words.length);
}
