// `node scripts/release-notes.mjs v1.2.3`: what CHANGELOG.md says of this version. Fails where the tag, package.json and
// the changelog do not name the same one.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseObject } from './json-object.mjs';

const root = new URL('..', import.meta.url);

/**
 * The section of a version, without its heading.
 * @param {string} changelog
 * @param {string} version such as 1.2.3
 * @throws Error when it has none, or one that is not dated
 */
export function sectionOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/\s/, 1)[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version} - DATE".`);
  const [heading = '', ...lines] = section.split('\n');
  if (!/^\S+ - \d{4}-\d\d-\d\d$/.test(heading))
    throw new Error(`CHANGELOG.md says "## ${heading}"; expected "## ${version} - DATE" with the date of the release.`);
  return `${lines.join('\n').trim()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tag = process.argv[2] ?? '';
  try {
    const { version } = parseObject(readFileSync(new URL('package.json', root), 'utf8'));
    if (typeof version !== 'string' || tag !== `v${version}`)
      throw new Error(`The tag is "${tag}", and package.json says version ${String(version)}.`);
    process.stdout.write(sectionOf(readFileSync(new URL('CHANGELOG.md', root), 'utf8'), version));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
