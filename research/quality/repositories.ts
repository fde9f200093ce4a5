import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seededRandom } from '../../server/engine/random.js';
import type { ModelTokenizer } from '../../server/model/tokenizer.js';

/** A repository to ask about. */
export interface BenchRepository {
  readonly name: string;
  readonly root: string;
}

const sourceFile = /\.(?:[cm]?[jt]sx?|py|go|rs|java|c|cc|cpp|h|hpp|cs|rb|php)$/;
const notSource = /\.d\.[cm]?ts$|\.min\.|(?:^|[\\/])(?:dist|umd|esm|bundle|node_modules|locales|tests?|__tests__)[\\/]/;
/** Larger files are mostly tables. Bytes. */
const largestFile = 1 << 16;

/** Source files below a folder, relative to it, in a fixed order. */
async function sourceFiles(folder: string, under = ''): Promise<string[]> {
  const entries = await readdir(path.join(folder, under), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(under, entry.name);
    if (entry.isDirectory()) found.push(...(await sourceFiles(folder, file)));
    else if (entry.isFile() && sourceFile.test(entry.name) && !notSource.test(file)) found.push(file);
  }
  return found;
}

/** The files in an order drawn with a seed. */
function shuffled(files: readonly string[], seed: number): string[] {
  const random = seededRandom(seed);
  const rest = [...files];
  return Array.from(files, () => rest.splice(Math.floor(random() * rest.length), 1)).flat();
}

/** The longest beginning of whole lines with at most so many tokens. */
function cutToTokens(text: string, limit: number, tokensOf: (text: string) => number): string {
  const lines = text.split('\n');
  let fits = 0;
  let tooMany = lines.length + 1;
  while (fits + 1 < tooMany) {
    const count = (fits + tooMany) >> 1;
    if (tokensOf(lines.slice(0, count).join('\n')) <= limit) fits = count;
    else tooMany = count;
  }
  return lines.slice(0, fits).join('\n');
}

/**
 * A repository of so many tokens: files of the first package in an order drawn with a seed, then of the ones after it;
 * the last file is cut at a line's end. Of several packages each is a folder. It is made once and kept.
 *
 * @param packages folders with sources
 * @param how.variant chooses another order
 * @throws Error when all of them together have fewer tokens
 */
export async function cutRepository(
  folder: string,
  packages: readonly string[],
  tokens: number,
  { tokenizer, variant }: { readonly tokenizer: ModelTokenizer; readonly variant: number },
): Promise<BenchRepository> {
  const [first = ''] = packages;
  const name = path.basename(first);
  const root = path.join(folder, `${name}-${tokens}-${variant}`);
  if (existsSync(root)) return { name, root };
  const partial = `${root}.partial`;
  await rm(partial, { recursive: true, force: true });
  const tokensOf = (text: string): number => tokenizer.encode(text).length;
  let left = tokens;
  for (const from of packages) {
    const inside = from === first ? '' : path.join('packages', path.basename(from));
    for (const file of shuffled(await sourceFiles(from), variant)) {
      if ((await stat(path.join(from, file))).size > largestFile) continue;
      const text = await readFile(path.join(from, file), 'utf8');
      const target = path.join(partial, inside, file);
      const room = left - tokensOf(`${path.join(inside, file)}\n\n`);
      const kept = tokensOf(text) <= room ? text : cutToTokens(text, room, tokensOf);
      if (kept === '') left = 0;
      if (left === 0) break;
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, kept);
      left = kept === text ? room - tokensOf(text) : 0;
    }
    if (left === 0) break;
  }
  if (left > 0) throw new Error(`${packages.join(', ')} have ${tokens - left} tokens of sources; ${tokens} are wanted`);
  await rename(partial, root);
  return { name, root };
}
