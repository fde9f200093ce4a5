// Bundles everything that runs into dist/: the terminal's command, the sidecar, the engine's worker, the extension and
// the chat panel's page. Packages that carry native code or wasm files stay outside and are found in node_modules.
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = path.join(root, 'dist/built');
const sources = ['server', 'extension', 'scripts/build.mjs', 'package.json'];

/** Packages with files that must be found beside the code: native libraries and wasm. */
export const unbundledPackages = [
  'onnxruntime-node',
  'onnxruntime-common',
  'web-tree-sitter',
  '@vscode/tree-sitter-wasm',
];

/**
 * The newest modification time of a file, or of what is below a folder, in milliseconds.
 * @param {string} place
 */
async function newestChange(place) {
  const status = await stat(place);
  if (!status.isDirectory()) return status.mtimeMs;
  let newest = 0;
  for (const entry of await readdir(place, { recursive: true })) {
    newest = Math.max(newest, (await stat(path.join(place, entry))).mtimeMs);
  }
  return newest;
}

async function isUpToDate() {
  const built = await stat(stamp).catch(() => undefined);
  if (built === undefined) return false;
  const changes = await Promise.all(sources.map((source) => newestChange(path.join(root, source))));
  return Math.max(...changes) < built.mtimeMs;
}

/** @type {import('esbuild').BuildOptions} */
const common = { absWorkingDir: root, outdir: 'dist', bundle: true, sourcemap: true, logLevel: 'warning' };

/** The programs that run in Node.js, as ES modules. */
async function buildPrograms() {
  await build({
    ...common,
    entryPoints: {
      locret: 'server/cli/main.ts',
      sidecar: 'server/main.ts',
      'engine-worker': 'server/engine/worker.ts',
    },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: unbundledPackages,
    // CommonJS packages in an ES module: they call `require` for Node's own modules.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module';const require = createRequireOfBundle(import.meta.url);",
    },
  });
}

/** What runs in VS Code's extension host. */
async function buildExtension() {
  await build({
    ...common,
    entryPoints: { extension: 'extension/main.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external: ['vscode'],
  });
}

/** The chat panel's page, with its icons. */
async function buildWebview() {
  await build({
    ...common,
    entryPoints: {
      'webview/chat': 'extension/chat/webview/main.ts',
      'webview/style': 'extension/chat/webview/style.css',
    },
    format: 'iife',
    platform: 'browser',
    target: 'chrome130',
    loader: { '.ttf': 'file' },
    assetNames: 'webview/[name]',
  });
}

/** Builds dist/ unless it is newer than every source. */
export async function buildAll() {
  if (await isUpToDate()) return;
  await Promise.all([buildPrograms(), buildExtension(), buildWebview()]);
  await writeFile(stamp, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
