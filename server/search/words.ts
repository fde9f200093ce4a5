/** Lower case, without the signs that conventions differ in: `retain_top-units` and `retainTopUnits` are the same. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

const plainWord = /^[a-z]+$/;
const ascii = /^\p{ASCII}*$/u;
/** What the pattern for all scripts finds in ASCII, in a third of the time. */
const asciiParts = /[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+/g;

/** The words that an identifier or a plain word is made of, lower-cased: `readHTTPBody2` → read, http, body, 2. */
export function partsOf(name: string): string[] {
  if (plainWord.test(name)) return [name];
  if (ascii.test(name)) return (name.match(asciiParts) ?? []).map((part) => part.toLowerCase());
  const parts = name.match(/\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|\p{N}+|[\p{Lo}\p{Lt}\p{Lm}]+/gu) ?? [];
  return parts.map((part) => part.toLowerCase());
}

const endings = ['ization', 'izations', 'ations', 'ation', 'ings', 'ing', 'ers', 'er', 'ies', 'ed', 'es', 's'];
const leastStem = 4;

/** Takes the commonest English endings off, so that `registering`, `registers` and `registered` are the same word. */
export function stem(word: string): string {
  for (const ending of endings) {
    if (word.endsWith(ending) && word.length - ending.length >= leastStem) return word.slice(0, -ending.length);
  }
  return word;
}

/** Scripts that put no spaces between words: pairs of characters stand for words there. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

function pairsOf(text: string): string[] {
  const characters = Array.from(text);
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, at) => `${characters[at] ?? ''}${character}`);
}

/**
 * The terms by which a word of a text is found: the stems of its parts, and, where it has several, the whole of it,
 * folded. Each once.
 */
export function termsOf(word: string): string[] {
  if (plainWord.test(word)) return [stem(word)];
  const parts = partsOf(word);
  const terms = new Set<string>();
  for (const part of parts) {
    if (!ascii.test(part) && unspaced.test(part)) for (const pair of pairsOf(part)) terms.add(pair);
    else if (part.length > 1 || parts.length === 1) terms.add(stem(part));
  }
  if (parts.length > 1) terms.add(foldName(word));
  return [...terms];
}
