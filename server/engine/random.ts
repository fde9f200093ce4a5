/** Numbers in [0, 1), evenly distributed. */
export type RandomSource = () => number;

/**
 * xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c): 32 bits at a time from a state
 * of four words, which must not all be zero.
 */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = state;
  const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));
  return () => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotate(s3, 11);
    return result;
  };
}

/** Spreads a seed over the words of a state: a Weyl sequence through MurmurHash3's finalizer. */
function spread(seed: number): () => number {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let word = counter;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  };
}

/**
 * A reproducible source of random numbers with 53 bits each, the same on every platform.
 * @param seed any safe integer; all of its bits count
 */
export function seededRandom(seed: number): RandomSource {
  const low = spread(seed);
  const high = spread(Math.floor(seed / 2 ** 32));
  const next = xoshiro128([low(), low() ^ high(), low(), low() ^ high()]);
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}
