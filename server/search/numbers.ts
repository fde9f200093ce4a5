const pieceBits = 16;
const pieceLength = 1 << pieceBits;

/** A list of unsigned numbers of 32 bits that grows in pieces, so that growing copies nothing. */
export class NumberList {
  private readonly pieces: Uint32Array[] = [];
  length = 0;

  push(value: number): void {
    const at = this.length & (pieceLength - 1);
    if (at === 0) this.pieces.push(new Uint32Array(pieceLength));
    const piece = this.pieces.at(-1);
    if (piece !== undefined) piece[at] = value;
    this.length += 1;
  }

  /** All of them in one array; the list is empty afterwards, so that they are not held twice. */
  take(): Uint32Array {
    const all = new Uint32Array(this.length);
    let at = 0;
    for (let piece = this.pieces.shift(); piece !== undefined; piece = this.pieces.shift()) {
      all.set(piece.subarray(0, Math.min(pieceLength, this.length - at)), at);
      at += pieceLength;
    }
    this.length = 0;
    return all;
  }
}

/** Stands for "none" where a number is expected. */
export const none = 0xffffffff;

/** Items grouped by a key: two arrays, however many groups there are. */
export class Grouping {
  private constructor(
    private readonly begins: Uint32Array,
    private readonly items: Uint32Array,
  ) {}

  /**
   * @param keys of each item; {@link none} for items that belong to no group
   * @param itemOf the item that stands at a place of `keys`, the place itself by default
   */
  static by(keys: Uint32Array, itemOf: (at: number) => number = (at) => at): Grouping {
    let largest = -1;
    let count = 0;
    for (const key of keys) {
      if (key === none) continue;
      count += 1;
      if (key > largest) largest = key;
    }
    // Counted two places further on and filled one place further on: then `begins[key]` is where a group begins.
    const begins = new Uint32Array(largest + 3);
    for (const key of keys) if (key !== none) begins[key + 2] = (begins[key + 2] ?? 0) + 1;
    for (let key = 1; key < begins.length; key += 1) begins[key] = (begins[key] ?? 0) + (begins[key - 1] ?? 0);
    const items = new Uint32Array(count);
    keys.forEach((key, at) => {
      if (key === none) return;
      const to = begins[key + 1] ?? 0;
      items[to] = itemOf(at);
      begins[key + 1] = to + 1;
    });
    return new Grouping(begins, items);
  }

  /** The items of a key, in their order. */
  of(key: number): Uint32Array {
    return this.items.subarray(this.begins[key] ?? 0, this.begins[key + 1] ?? this.begins[key] ?? 0);
  }
}
