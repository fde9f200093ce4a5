import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const sourceFile = /\.(?:[cm]?[jt]s|md)$/;
const largestFile = 1 << 20;

/** The texts of the source files below a folder, in a fixed order, each with its path as a header. */
export async function* sourceTexts(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceTexts(file);
    if (!entry.isFile() || !sourceFile.test(entry.name)) continue;
    const text = await readFile(file, 'utf8');
    if (text.length <= largestFile) yield `\n${file}\n${text}`;
  }
}
