import { readFile, stat } from 'node:fs/promises';

/** An index of a million files is about this large; a larger one is not read. */
const maxIndexBytes = 256 << 20;
/** Bytes of an entry before its object name: times, device, inode, mode, owner, size. */
const statBytes = 40;
const extendedFlag = 0x4000;

/** The end of git's variable-width number (offset encoding) at `at`, and its value. */
function readOffset(index: Buffer, at: number): { value: number; next: number } {
  let byte = index.readUInt8(at);
  let value = byte & 0x7f;
  let next = at + 1;
  while (byte >= 0x80) {
    byte = index.readUInt8(next);
    next += 1;
    value = (value + 1) * 128 + (byte & 0x7f);
    if (value > maxIndexBytes) throw new RangeError('a number in the index is too large');
  }
  return { value, next };
}

function parseIndex(index: Buffer, hashBytes: number): string[] {
  const version = index.readUInt32BE(4);
  if (index.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4) return [];
  const entries = index.readUInt32BE(8);
  const paths: string[] = [];
  let previous = Buffer.alloc(0);
  let at = 12;
  for (let entry = 0; entry < entries; entry++) {
    const flagsAt = at + statBytes + hashBytes;
    const extended = (index.readUInt16BE(flagsAt) & extendedFlag) !== 0;
    let nameAt = flagsAt + (extended ? 4 : 2);
    let kept = Buffer.alloc(0);
    if (version === 4) {
      const { value, next } = readOffset(index, nameAt);
      kept = previous.subarray(0, Math.max(0, previous.length - value));
      nameAt = next;
    }
    const end = index.indexOf(0, nameAt);
    if (end < 0) return [];
    previous = Buffer.concat([kept, index.subarray(nameAt, end)]);
    paths.push(previous.toString('utf8'));
    at = version === 4 ? end + 1 : at + ((end - at + 8) & ~7);
  }
  return paths;
}

/**
 * The paths that git's index lists, relative to the work tree's top: what is tracked whatever the ignore rules say.
 * Layout: git's Documentation/gitformat-index, versions 2 to 4. Without a readable index, or with a split one, the list
 * is empty and the ignore rules alone decide.
 */
export async function readTrackedPaths(indexFile: string, hashBytes: number): Promise<readonly string[]> {
  try {
    if ((await stat(indexFile)).size > maxIndexBytes) return [];
    return parseIndex(await readFile(indexFile), hashBytes);
  } catch {
    return [];
  }
}
