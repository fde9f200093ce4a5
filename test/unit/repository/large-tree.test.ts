import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

/** Surveys and streams a folder in a process whose heap is small. */
async function readInSmallHeap(root: string): Promise<unknown> {
  const script = path.join(path.dirname(root), 'read-tree.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('read-tree.ts', import.meta.url))],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  const output: unknown = JSON.parse(
    execFileSync(process.execPath, ['--max-old-space-size=64', script, root], { encoding: 'utf8' }),
  );
  return output;
}

const line = `${'text of a hundred megabytes '.repeat(4)}\n`;

describe('a tree of 100 MB', () => {
  it('is surveyed and streamed in a heap of 64 MB', async () => {
    const root = await temporaryFolder();
    const content = line.repeat(Math.ceil(2 ** 20 / line.length));
    for (let folder = 0; folder < 10; folder++) {
      await mkdir(path.join(root, String(folder)));
      for (let file = 0; file < 10; file++) await writeFile(path.join(root, `${folder}/${file}.txt`), content);
    }
    const headers = '# Repository: root\n'.length + 100 * '\n=== 0/0.txt ===\n'.length;
    const read = await readInSmallHeap(root);
    expect(read).toMatchObject({ files: 100, characters: 100 * content.length + headers });
  });

  it('may be one file, and one line', async () => {
    const root = await temporaryFolder();
    await writeFile(path.join(root, 'lines.txt'), line.repeat(900_000));
    await writeFile(path.join(root, 'one-line.txt'), 'é'.repeat(50_000_000));
    expect(await readInSmallHeap(root)).toMatchObject({ files: 2, longest: 65_536 });
  });
});
