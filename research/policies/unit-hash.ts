import type { ScoredView } from './rival.js';

const seed = 0x10c2e7;

/** MurmurHash3's finalizer: every bit of the word changes every bit of the result. */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * A number in (0, 1) for a unit, evenly distributed, that depends on layer, KV head and token alone: drawn once for each
 * unit, whatever chunks it is read in, and the same in every run.
 */
export function unitHash(
  { layer, kvHead, tokenIndices }: Pick<ScoredView, 'layer' | 'kvHead' | 'tokenIndices'>,
  slot: number,
): number {
  const head = mix(seed + Math.imul(layer + 1, 0x9e3779b9) + Math.imul(kvHead + 1, 0x7f4a7c15));
  return (mix(head ^ mix(tokenIndices[slot] ?? 0)) + 0.5) / 2 ** 32;
}
