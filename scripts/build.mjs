// Bundles everything that runs into dist/: the terminal's command, the sidecar, the engine's worker, the process that
// trains, the extension and the chat panel's page. Packages that carry native code or wasm files stay outside and are
// found in node_modules.
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = path.join(root, 'dist/built');
const sources = ['server', 'extension', 'research', 'scripts/build.mjs', 'package.json'];

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

/**
 * The programs that run in Node.js, as ES modules.
 * @param {import('esbuild').BuildOptions} options
 */
function buildPrograms(options) {
  return build({
    ...options,
    entryPoints: {
      locret: 'server/cli/main.ts',
      sidecar: 'server/main.ts',
      'engine-worker': 'server/backends/worker.ts',
      'training-process': 'server/training/training-process.ts',
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

/**
 * What runs in VS Code's extension host.
 * @param {import('esbuild').BuildOptions} options
 */
function buildExtension(options) {
  return build({
    ...options,
    entryPoints: { extension: 'extension/main.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external: ['vscode'],
  });
}

/**
 * The chat panel's page, with its icons.
 * @param {import('esbuild').BuildOptions} options
 */
function buildWebview(options) {
  return build({
    ...options,
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

/**
 * Bundles everything into a folder and returns the files that went in, relative to the repository's root.
 * @param {string} outdir
 * @param {{ minify: boolean, sourcemap: boolean }} options
 */
export async function bundleAll(outdir, options) {
  /** @type {import('esbuild').BuildOptions} */
  const common = { absWorkingDir: root, outdir, bundle: true, metafile: true, logLevel: 'warning', ...options };
  const results = await Promise.all([buildPrograms(common), buildExtension(common), buildWebview(common)]);
  return results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
}

/** Builds dist/ unless it is newer than every source. */
export async function buildAll() {
  if (await isUpToDate()) return;
  await bundleAll('dist', { minify: false, sourcemap: true });
  await writeFile(stamp, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
