import { cp, mkdir, mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const sourceFile = /\.(?:[cm]?[jt]s|md)$/;
const minified = /\.min\.|[\\/](?:dist|umd|esm|bundle)[\\/]/;
/** A larger file raises the peak by its syntax tree wherever it comes; the bench is about how much is read. */
const largestFile = 1 << 16;

/** Source files below a folder, in a fixed order. */
async function* sourceFiles(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(file);
    if (entry.isFile() && sourceFile.test(entry.name) && !minified.test(file)) yield file;
  }
}

/**
 * A repository of real text in a temporary folder: copies of the sources below another folder, so many bytes.
 * @throws Error when there is less text
 */
export async function repositoryOfSources(from: string, bytes: number): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'locret-bench-'));
  let copied = 0;
  for await (const file of sourceFiles(from)) {
    const { size } = await stat(file);
    if (size > largestFile) continue;
    const target = path.join(root, path.relative(from, file));
    await mkdir(path.dirname(target), { recursive: true });
    await cp(file, target);
    copied += size;
    if (copied >= bytes) return root;
  }
  throw new Error(`${from} has ${copied} bytes of sources; ${bytes} are wanted`);
}
