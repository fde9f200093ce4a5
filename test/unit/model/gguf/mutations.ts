import { seededRandom } from '../../../../server/engine/random.js';

/** A changed copy of a file's bytes. */
export interface Mutation {
  /** What was done, to find it again. */
  readonly name: string;
  readonly bytes: Buffer;
  /** Places of the original whose bytes were overwritten; undefined when bytes were added or taken away. */
  readonly overwritten: readonly (readonly [begin: number, end: number])[] | undefined;
}

/** What counts and lengths are overwritten with. */
const TELLING_NUMBERS = [
  0n,
  1n,
  2n,
  31n,
  255n,
  65535n,
  2n ** 31n - 1n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/**
 * Changed copies of a file, the same ones for the same seed: bits and bytes, numbers, cuts, insertions and swaps, most
 * of them in the header.
 * @param headerEnd where the bytes of tensors begin
 */
export function* mutationsOf(original: Buffer, headerEnd: number, count: number, seed: number): Generator<Mutation> {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const place = (): number => (random() < 0.9 ? below(headerEnd) : below(original.length));
  const overwrite = (name: string, at: number, content: Uint8Array): Mutation => {
    const bytes = Buffer.from(original);
    bytes.set(content.subarray(0, bytes.length - at), at);
    return { name: `${name} at ${at}`, bytes, overwritten: [[at, at + content.length]] };
  };
  const kinds: readonly (() => Mutation)[] = [
    () => {
      const at = place();
      return overwrite('a flipped bit', at, Uint8Array.of((original[at] ?? 0) ^ (1 << below(8))));
    },
    () => overwrite('a byte', place(), Uint8Array.of(below(256))),
    () =>
      overwrite(
        'some bytes',
        place(),
        Uint8Array.from({ length: 1 + below(16) }, () => below(256)),
      ),
    () => {
      const content = Buffer.alloc(8);
      content.writeBigUInt64LE(TELLING_NUMBERS[below(TELLING_NUMBERS.length)] ?? 0n);
      return overwrite('a number', place(), content.subarray(0, random() < 0.5 ? 4 : 8));
    },
    () => {
      const at = place();
      const from = below(headerEnd);
      return overwrite(`a copy of ${from}`, at, original.subarray(from, from + 1 + below(32)));
    },
    () => {
      const length = place();
      return { name: `cut at ${length}`, bytes: original.subarray(0, length), overwritten: undefined };
    },
    () => {
      const [at, length] = [place(), 1 + below(64)];
      const bytes = Buffer.concat([original.subarray(0, at), original.subarray(at + length)]);
      return { name: `${length} bytes less at ${at}`, bytes, overwritten: undefined };
    },
    () => {
      const at = place();
      const added = Uint8Array.from({ length: 1 + below(64) }, () => (random() < 0.5 ? 0 : below(256)));
      const bytes = Buffer.concat([original.subarray(0, at), added, original.subarray(at)]);
      return { name: `${added.length} bytes more at ${at}`, bytes, overwritten: undefined };
    },
  ];
  for (let made = 0; made < count; made++) {
    const kind = kinds[below(kinds.length)];
    if (kind !== undefined) yield kind();
  }
}
