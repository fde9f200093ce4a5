import type { LocretError } from '../errors.js';

/** Reads bytes of a file; fewer than asked for at its end. */
export type ReadBytes = (position: number, length: number) => Uint8Array;

/** A file in a zip archive, stored without compression. */
export interface StoredEntry {
  readonly name: string;
  /** Where its bytes lie in the archive. */
  readonly begin: number;
  readonly length: number;
}

const endSize = 22;
const longestComment = 0xffff;
const wide32 = 0xffffffff;
const wide16 = 0xffff;
const signatures = {
  localHeader: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  wideEnd: 0x06064b50,
  locator: 0x07064b50,
};
/** A file of heads has two tensors per layer; this leaves room for anything sensible. */
const mostEntries = 100_000;
const largestDirectory = 64 << 20;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Directory {
  readonly entries: number;
  readonly begin: number;
  readonly length: number;
}

/**
 * Lists a zip archive (APPNOTE.TXT 6.3, with ZIP64), of which every file must be stored as it is, as PyTorch does.
 * @param refuse makes the error of a damaged archive
 */
export function readZipEntries(
  read: ReadBytes,
  fileSize: number,
  refuse: (what: string) => LocretError,
): ReadonlyMap<string, StoredEntry> {
  /** A number of eight bytes that can lie in this file. */
  const sizeAt = (view: DataView, at: number): number => {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(fileSize)) throw refuse(`is a zip archive that speaks of byte ${value} of ${fileSize}`);
    return Number(value);
  };
  const exactly = (position: number, length: number): DataView => {
    const bytes = position < 0 || position + length > fileSize ? new Uint8Array(0) : read(position, length);
    if (bytes.length < length) throw refuse('is a zip archive that is cut short');
    return viewOf(bytes);
  };

  const { entries, begin, length } = findDirectory();
  if (entries > mostEntries || length > largestDirectory) {
    throw refuse(`is a zip archive of ${entries} files; at most ${mostEntries} are expected`);
  }
  const view = exactly(begin, length);
  const found = new Map<string, StoredEntry>();
  for (let at = 0, count = 0; count < entries; count++) {
    if (at + 46 > length || view.getUint32(at, true) !== signatures.entry) throw refuse('has a damaged zip directory');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) throw refuse('has a damaged zip directory');
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
    if (found.has(name)) throw refuse(`holds two files "${name}"`);
    found.set(name, placeOf(view, at, name, { begin: at + 46 + nameLength, length: extraLength }));
    at = next;
  }
  return found;

  function findDirectory(): Directory {
    const tailLength = Math.min(fileSize, endSize + longestComment);
    const tail = exactly(fileSize - tailLength, tailLength);
    for (let at = tailLength - endSize; at >= 0; at--) {
      if (tail.getUint32(at, true) !== signatures.end) continue;
      const small = {
        entries: tail.getUint16(at + 10, true),
        length: tail.getUint32(at + 12, true),
        begin: tail.getUint32(at + 16, true),
      };
      const isWide = small.entries === wide16 || small.length === wide32 || small.begin === wide32;
      return isWide ? findWideDirectory(fileSize - tailLength + at) : small;
    }
    throw refuse('is a zip archive without a directory: it is cut short');
  }

  function findWideDirectory(end: number): Directory {
    const locator = exactly(end - 20, 20);
    if (locator.getUint32(0, true) !== signatures.locator) throw refuse('has a damaged zip directory');
    const record = exactly(sizeAt(locator, 8), 56);
    if (record.getUint32(0, true) !== signatures.wideEnd) throw refuse('has a damaged zip directory');
    return { entries: sizeAt(record, 32), length: sizeAt(record, 40), begin: sizeAt(record, 48) };
  }

  function placeOf(
    entry: DataView,
    at: number,
    name: string,
    extra: { readonly begin: number; readonly length: number },
  ): StoredEntry {
    const method = entry.getUint16(at + 10, true);
    if (method !== 0) throw refuse(`holds "${name}" compressed (method ${method}); PyTorch stores it as it is`);
    const sizes = [entry.getUint32(at + 24, true), entry.getUint32(at + 20, true), entry.getUint32(at + 42, true)];
    const [uncompressed = 0, compressed = 0, header = 0] = widen(entry, sizes, extra);
    if (uncompressed !== compressed) throw refuse(`holds "${name}" with two different sizes`);
    const local = exactly(header, 30);
    if (local.getUint32(0, true) !== signatures.localHeader) throw refuse(`holds "${name}" at a wrong place`);
    const dataBegin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (dataBegin + uncompressed > fileSize) throw refuse(`holds "${name}", which ends beyond the file`);
    return { name, begin: dataBegin, length: uncompressed };
  }

  /** Takes the numbers that do not fit into 32 bits from the ZIP64 field, where they stand in the same order. */
  function widen(
    entry: DataView,
    numbers: readonly number[],
    extra: { readonly begin: number; readonly length: number },
  ): readonly number[] {
    if (!numbers.includes(wide32)) return numbers;
    const end = extra.begin + extra.length;
    for (let at = extra.begin; at + 4 <= end; at += 4 + entry.getUint16(at + 2, true)) {
      if (entry.getUint16(at, true) !== 1) continue;
      const fieldEnd = Math.min(end, at + 4 + entry.getUint16(at + 2, true));
      let next = at + 4;
      return numbers.map((number) => {
        if (number !== wide32) return number;
        if (next + 8 > fieldEnd) throw refuse('has a damaged zip directory');
        next += 8;
        return sizeAt(entry, next - 8);
      });
    }
    throw refuse('has a damaged zip directory');
  }
}
