import { wrongTokenizer, TokenType, type Vocabulary } from './vocabulary.js';

/**
 * Most characters that are looked at while merges are made: a vocabulary of 256,000 tokens takes some 20 million, one
 * of a few endless tokens would take hours.
 */
const mostWork = 2 ** 28;

/**
 * The merges of a SentencePiece vocabulary, which knows scores only: each way in which two tokens join to a third, by
 * the third's score, then by the parts' ids. So `transformers` makes the `tokenizer.json` of these models.
 * @param scores by token id
 */
export function sentencePieceMerges(
  path: string,
  { tokens, typeOf, ids }: Vocabulary,
  scores: ArrayLike<number>,
): (readonly [string, string])[] {
  const joinable = (token: string): number | undefined => {
    const id = ids.get(token);
    return id !== undefined && typeOf(id) === TokenType.normal ? id : undefined;
  };
  let work = 0;
  const merges: { readonly pair: readonly [string, string]; readonly score: number }[] = [];
  for (const [id, token] of tokens.entries()) {
    if (joinable(token) !== id) continue;
    work += token.length * token.length;
    if (work > mostWork) throw wrongTokenizer(path, 'its tokens are too long to be a vocabulary of SentencePiece');
    const score = scores[id] ?? 0;
    merges.push(...splits(token, joinable).map((pair) => ({ pair, score })));
  }
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}

/** Every way in which a token comes apart into two, by the ids of the parts. */
function splits(token: string, idOf: (part: string) => number | undefined): (readonly [string, string])[] {
  const found: { readonly pair: readonly [string, string]; readonly left: number; readonly right: number }[] = [];
  let at = 0;
  for (const character of token) {
    at += character.length;
    if (at === token.length) break;
    const pair = [token.slice(0, at), token.slice(at)] as const;
    const left = idOf(pair[0]);
    const right = left === undefined ? undefined : idOf(pair[1]);
    if (left !== undefined && right !== undefined) found.push({ pair, left, right });
  }
  return found.sort((a, b) => a.left - b.left || a.right - b.right).map(({ pair }) => pair);
}
