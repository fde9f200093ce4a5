// What is in a finished package: read from the archive itself, so that the check does not depend on what made it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
/** Files that the packaging tool adds, and the one that it renames. */
const added = ['[Content_Types].xml', 'extension.vsixmanifest'];
/** @type {Readonly<Record<string, string>>} */
const renamed = { LICENSE: 'LICENSE.txt', 'README.md': 'readme.md' };

/**
 * @typedef {object} ArchiveEntry
 * @property {string} name
 * @property {number} bytes as packed
 */

/**
 * The files of a zip archive below 4 GB.
 * @param {string} archive
 * @returns {Promise<ArchiveEntry[]>}
 * @throws Error when it is no zip archive
 */
export async function archiveEntries(archive) {
  const data = await readFile(archive);
  let end = data.length - 22;
  while (end >= 0 && data.readUInt32LE(end) !== endOfDirectory) end -= 1;
  if (end < 0) throw new Error(`${archive} is no zip archive.`);
  const count = data.readUInt16LE(end + 10);
  const entries = [];
  let position = data.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (data.readUInt32LE(position) !== directoryEntry) throw new Error(`${archive} has a damaged directory.`);
    const nameLength = data.readUInt16LE(position + 28);
    const name = data.toString('utf8', position + 46, position + 46 + nameLength);
    if (!name.endsWith('/')) entries.push({ name, bytes: data.readUInt32LE(position + 20) });
    position += 46 + nameLength + data.readUInt16LE(position + 30) + data.readUInt16LE(position + 32);
  }
  return entries;
}

/**
 * What is wrong with a package: files that were not meant to be in it, files that are missing, and its size.
 * @param {readonly ArchiveEntry[]} entries
 * @param {readonly string[]} staged files that were put together for it
 * @param {{ bytes: number, maxBytes: number }} size
 * @returns {string[]} sentences; none when all is well
 */
export function problemsOf(entries, staged, { bytes, maxBytes }) {
  const expected = new Set([...added, ...staged.map((file) => `extension/${renamed[file] ?? file}`)]);
  const found = new Set(entries.map(({ name }) => name));
  const extra = [...found].filter((name) => !expected.has(name));
  const missing = [...expected].filter((name) => !found.has(name));
  return [
    ...extra.map((name) => `${name} is in the package and was not put together for it.`),
    ...missing.map((name) => `${name} is missing; does .vscodeignore name it?`),
    ...(bytes > maxBytes ? [`It has ${megabytes(bytes)}; the limit is ${megabytes(maxBytes)}.`] : []),
  ];
}

/**
 * The parts of a package that take most, largest first: packages as a whole, other files by folder.
 * @param {readonly ArchiveEntry[]} entries
 * @returns {{ part: string, bytes: number }[]}
 */
export function partsOf(entries) {
  /** @type {Map<string, number>} */
  const parts = new Map();
  for (const { name, bytes } of entries) {
    const part = /^extension\/dist\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? path.posix.dirname(name);
    parts.set(part, (parts.get(part) ?? 0) + bytes);
  }
  return [...parts].map(([part, bytes]) => ({ part, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
