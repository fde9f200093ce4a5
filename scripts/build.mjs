// Bundles the sidecar's entries into dist/, each into one file. Packages stay outside the bundles: they carry native
// code and wasm files.
import { readdir, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const entryPoints = { locret: 'server/cli/main.ts', 'engine-worker': 'server/engine/worker.ts' };
const stamp = `${root}dist/built`;

/**
 * The newest modification time below a folder, in milliseconds.
 * @param {string} folder
 */
async function newestChange(folder) {
  let newest = 0;
  for (const entry of await readdir(folder, { recursive: true })) {
    newest = Math.max(newest, (await stat(`${folder}/${entry}`)).mtimeMs);
  }
  return newest;
}

async function isUpToDate() {
  const built = await stat(stamp).catch(() => undefined);
  if (built === undefined) return false;
  const inputs = [newestChange(`${root}server`), stat(`${root}scripts/build.mjs`).then((file) => file.mtimeMs)];
  return Math.max(...(await Promise.all(inputs))) < built.mtimeMs;
}

/** Builds dist/ unless it is newer than every source. */
export async function buildSidecar() {
  if (await isUpToDate()) return;
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: 'dist',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  });
  await writeFile(stamp, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildSidecar();
