// Bundles the tests that run in the extension host, and the program that starts VS Code for the desktop with them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = path.join(root, '.cache/editor/extension-host');

/** @returns {Promise<{ suite: string, electron: string }>} the files */
export async function bundleExtensionHostTests() {
  /** @type {import('esbuild').BuildOptions} */
  const common = {
    absWorkingDir: root,
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  };
  await Promise.all([
    build({
      ...common,
      entryPoints: { suite: 'test/editor/extension-host/suite.ts' },
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      // mocha is found in node_modules: it loads its parts by name.
      external: ['vscode', 'mocha'],
    }),
    build({
      ...common,
      entryPoints: { electron: 'test/editor/electron.ts' },
      format: 'esm',
      packages: 'external',
      outExtension: { '.js': '.mjs' },
    }),
  ]);
  return { suite: path.join(outdir, 'suite.cjs'), electron: path.join(outdir, 'electron.mjs') };
}
