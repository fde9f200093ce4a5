import type { ModelTokenizer } from '../../../server/model/tokenizer.js';

const specials = ['<|repo_name|>', '<|file_sep|>', '<|im_start|>', '<|im_end|>'];
const firstSpecial = 0x110000;
const anySpecial = /<\|(?:repo_name|file_sep|im_start|im_end)\|>/g;

/** A tokenizer whose tokens are the characters, and four special tokens. */
export function characterTokenizer(hasRepositoryTokens = true): ModelTokenizer {
  const encode = (text: string): number[] => {
    const ids: number[] = [];
    let at = 0;
    for (const match of text.matchAll(anySpecial)) {
      ids.push(...characters(text.slice(at, match.index)), firstSpecial + specials.indexOf(match[0]));
      at = match.index + match[0].length;
    }
    return [...ids, ...characters(text.slice(at))];
  };
  const characters = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const decode = (ids: readonly number[]): string =>
    ids.map((id) => (id < firstSpecial ? String.fromCodePoint(id) : (specials[id - firstSpecial] ?? ''))).join('');
  return {
    encode,
    encodeWithStarts: (text) => {
      const ids = Int32Array.from(encode(text));
      let offset = 0;
      const starts = ids.map((id) => {
        const start = offset;
        offset += decode([id]).length;
        return start;
      });
      return { ids, starts };
    },
    decode,
    streamDecoder: () => ({ push: (token) => decode([token]), end: () => '' }),
    tokenId: (token) => (specials.includes(token) ? firstSpecial + specials.indexOf(token) : undefined),
    hasRepositoryTokens,
    neutralize: (text) => text.replace(anySpecial, (special) => special.replace('<|', '<\u200b|')),
  };
}

export const endOfTurn = firstSpecial + 3;
