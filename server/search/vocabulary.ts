import { termsOf } from './words.js';

function grown(array: Uint32Array, length: number): Uint32Array {
  if (length <= array.length) return array;
  const larger = new Uint32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}

/**
 * The distinct words of a repository as they are written, numbered in order of appearance, and the terms that each is
 * found by. Words are held as bytes in one array, not as strings: a repository of ten million tokens has hundreds of
 * thousands of them.
 */
export class Vocabulary {
  private bytes = new Uint8Array(1 << 16);
  /** Where a word begins in `bytes`; one more than there are words. */
  private begins: Uint32Array = new Uint32Array(1 << 12);
  private count = 0;
  /** Open addressing: word + 1, or 0. */
  private slots = new Uint32Array(1 << 13);

  private readonly termIds = new Map<string, number>();
  /** Where a word's terms begin in `termsOfWords`; one more than there are words. */
  private termBegins: Uint32Array = new Uint32Array(1 << 12);
  private termsOfWords: Uint32Array = new Uint32Array(1 << 14);
  private wordsOfTerms: { readonly begins: Uint32Array; readonly words: Uint32Array } | undefined;

  /** Number of distinct words. */
  get size(): number {
    return this.count;
  }

  /** Number of distinct terms. */
  get terms(): number {
    return this.termIds.size;
  }

  /** The number of a word, which is added when it is new. */
  add(text: Uint8Array, begin: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let at = begin; at < end; at += 1) hash = Math.imul(hash ^ (text[at] ?? 0), 0x01000193);
    const mask = this.slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const held = this.slots[slot] ?? 0;
      if (held === 0) return this.append(text, begin, end, slot);
      if (this.equals(held - 1, text, begin, end)) return held - 1;
    }
  }

  private equals(word: number, text: Uint8Array, begin: number, end: number): boolean {
    const from = this.begins[word] ?? 0;
    if ((this.begins[word + 1] ?? 0) - from !== end - begin) return false;
    for (let at = 0; at < end - begin; at += 1) if (this.bytes[from + at] !== text[begin + at]) return false;
    return true;
  }

  private append(text: Uint8Array, begin: number, end: number, slot: number): number {
    const word = this.count;
    const from = this.begins[word] ?? 0;
    const to = from + end - begin;
    if (to > this.bytes.length) {
      const larger = new Uint8Array(Math.max(to, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    for (let at = begin; at < end; at += 1) this.bytes[from + at - begin] = text[at] ?? 0;
    this.begins = grown(this.begins, word + 2);
    this.begins[word + 1] = to;
    this.slots[slot] = word + 1;
    this.count += 1;
    this.addTerms(word);
    if (this.count * 2 > this.slots.length) this.rehash();
    return word;
  }

  private rehash(): void {
    const slots = new Uint32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let word = 0; word < this.count; word += 1) {
      let hash = 0x811c9dc5;
      const end = this.begins[word + 1] ?? 0;
      for (let at = this.begins[word] ?? 0; at < end; at += 1) {
        hash = Math.imul(hash ^ (this.bytes[at] ?? 0), 0x01000193);
      }
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = word + 1;
    }
    this.slots = slots;
  }

  private addTerms(word: number): void {
    const begin = this.termBegins[word] ?? 0;
    const terms = termsOf(this.text(word));
    this.termBegins = grown(this.termBegins, word + 2);
    this.termsOfWords = grown(this.termsOfWords, begin + terms.length);
    terms.forEach((term, at) => {
      let id = this.termIds.get(term);
      if (id === undefined) {
        id = this.termIds.size;
        this.termIds.set(term, id);
      }
      this.termsOfWords[begin + at] = id;
    });
    this.termBegins[word + 1] = begin + terms.length;
    this.wordsOfTerms = undefined;
  }

  /** A word as it is written. */
  text(word: number): string {
    return Buffer.from(
      this.bytes.buffer,
      this.begins[word] ?? 0,
      (this.begins[word + 1] ?? 0) - (this.begins[word] ?? 0),
    ).toString();
  }

  /** The number of a word that is written exactly so. */
  word(text: string): number | undefined {
    const bytes = Buffer.from(text);
    let hash = 0x811c9dc5;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    const mask = this.slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const held = this.slots[slot] ?? 0;
      if (held === 0) return undefined;
      if (this.equals(held - 1, bytes, 0, bytes.length)) return held - 1;
    }
  }

  /** The number of a term. */
  term(text: string): number | undefined {
    return this.termIds.get(text);
  }

  allTerms(): IterableIterator<[string, number]> {
    return this.termIds.entries();
  }

  /** The terms that a word is found by. */
  termsOf(word: number): Uint32Array {
    return this.termsOfWords.subarray(this.termBegins[word] ?? 0, this.termBegins[word + 1] ?? 0);
  }

  /** The words that a term finds. */
  wordsOf(term: number): Uint32Array {
    this.wordsOfTerms ??= this.invertTerms();
    const { begins, words } = this.wordsOfTerms;
    return words.subarray(begins[term] ?? 0, begins[term + 1] ?? 0);
  }

  private invertTerms(): { begins: Uint32Array; words: Uint32Array } {
    const begins = new Uint32Array(this.terms + 2);
    const used = this.termBegins[this.count] ?? 0;
    for (let at = 0; at < used; at += 1) {
      const next = (this.termsOfWords[at] ?? 0) + 2;
      begins[next] = (begins[next] ?? 0) + 1;
    }
    for (let term = 1; term < begins.length; term += 1) begins[term] = (begins[term] ?? 0) + (begins[term - 1] ?? 0);
    const words = new Uint32Array(used);
    for (let word = 0; word < this.count; word += 1) {
      for (const term of this.termsOf(word)) {
        const at = begins[term + 1] ?? 0;
        words[at] = word;
        begins[term + 1] = at + 1;
      }
    }
    return { begins, words };
  }
}
