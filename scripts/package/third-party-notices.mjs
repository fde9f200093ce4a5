// The licences of everything in the package that others wrote.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject, parseObject } from '../json-object.mjs';

/**
 * The folders of the packages that files belong to, relative to the repository's root, sorted.
 * @param {readonly string[]} files relative to the root, with forward slashes
 */
export function packageFoldersOf(files) {
  const folders = files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/** @param {unknown} author of package.json: a name, or an object with one */
function authorName(author) {
  const name = isObject(author) ? author['name'] : author;
  return typeof name === 'string' ? name : undefined;
}

/** @param {string} folder of a package */
async function noticeOf(folder) {
  const { name, version, license, author } = parseObject(await readFile(path.join(folder, 'package.json'), 'utf8'));
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string') {
    throw new Error(`${folder}/package.json lacks a name, a version or a licence.`);
  }
  const texts = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const parts = await Promise.all(texts.map((file) => readFile(path.join(folder, file), 'utf8')));
  // Some packages come without the text of their licence.
  if (parts.length === 0) parts.push(`${license} licence, by ${authorName(author) ?? `the authors of ${name}`}.`);
  return [`## ${name} ${version} (${license})`, ...parts.map((part) => part.trim())].join('\n\n');
}

/**
 * One text with name, version and licence of each package.
 * @param {readonly string[]} folders of packages
 * @throws Error when a package is not installed or names no licence
 */
export async function thirdPartyNotices(folders) {
  const notices = await Promise.all(folders.map(noticeOf));
  return `Locret contains the following software by others.\n\n${notices.join('\n\n---\n\n')}\n`;
}
