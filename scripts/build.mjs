// `npm run build`: bundles everything that runs into dist/: the terminal's command, the sidecar, the engine's worker, the
// process that trains, the extension and the chat panel's page. Packages that carry native code or wasm files stay outside
// and are found in node_modules.
//
//   --watch      (`npm run watch`) goes on, and bundles anew what a change of a source touches
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

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
 * @returns {import('esbuild').BuildOptions}
 */
function programs(options) {
  return {
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
  };
}

/**
 * What runs in VS Code's extension host.
 * @param {import('esbuild').BuildOptions} options
 * @returns {import('esbuild').BuildOptions}
 */
function extension(options) {
  return {
    ...options,
    entryPoints: { extension: 'extension/main.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external: ['vscode'],
  };
}

/**
 * The chat panel's page, with its icons.
 * @param {import('esbuild').BuildOptions} options
 * @returns {import('esbuild').BuildOptions}
 */
function webview(options) {
  return {
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
  };
}

/**
 * All bundles.
 * @param {string} outdir
 * @param {import('esbuild').BuildOptions} options
 * @returns {import('esbuild').BuildOptions[]}
 */
function bundles(outdir, options) {
  const common = { absWorkingDir: root, outdir, bundle: true, ...options };
  return [programs(common), extension(common), webview(common)];
}

/**
 * Bundles everything into a folder and returns the files that went in, relative to the repository's root.
 * @param {string} outdir
 * @param {{ minify: boolean, sourcemap: boolean }} options
 */
export async function bundleAll(outdir, options) {
  const all = bundles(outdir, { metafile: true, logLevel: 'warning', ...options });
  const results = await Promise.all(all.map((bundle) => build(bundle)));
  return results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
}

/** Builds dist/ unless it is newer than every source. */
export async function buildAll() {
  if (await isUpToDate()) return;
  await bundleAll('dist', { minify: false, sourcemap: true });
  await writeFile(stamp, '');
}

/** What a watching build writes when it begins and when it has come to an end. */
export const watchLines = { begun: 'Building.', built: 'Built; watching.', failed: 'Not built; watching.' };

/**
 * Builds dist/, and again whenever a source changes, until the process is ended. What is
 * wrong stands in lines "FILE:LINE:COLUMN: error: TEXT"; .vscode/tasks.json reads them and the lines around a build.
 */
export async function watchAll() {
  /** The builds that run now, and those whose last one failed. */
  const running = new Set();
  const failed = new Set();
  /** @type {import('esbuild').Plugin} */
  const report = {
    name: 'report',
    setup(building) {
      building.onStart(() => {
        if (running.size === 0) process.stdout.write(`${watchLines.begun}\n`);
        running.add(building);
      });
      building.onEnd(async ({ errors, warnings }) => {
        for (const message of errors) process.stdout.write(`${problemLine(message, 'error')}\n`);
        for (const message of warnings) process.stdout.write(`${problemLine(message, 'warning')}\n`);
        if (errors.length > 0) failed.add(building);
        else failed.delete(building);
        running.delete(building);
        if (running.size > 0) return;
        if (failed.size === 0) await writeFile(stamp, '');
        process.stdout.write(`${failed.size === 0 ? watchLines.built : watchLines.failed}\n`);
      });
    },
  };
  const all = bundles('dist', { minify: false, sourcemap: true, logLevel: 'silent', plugins: [report] });
  const contexts = await Promise.all(all.map((bundle) => context(bundle)));
  await Promise.all(contexts.map((one) => one.watch()));
}

/**
 * @param {Pick<import('esbuild').Message, 'location' | 'text'>} message
 * @param {'error' | 'warning'} severity
 */
export function problemLine({ location, text }, severity) {
  if (location === null) return `${severity}: ${text}`;
  return `${location.file}:${location.line}:${location.column + 1}: ${severity}: ${text}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await (process.argv.includes('--watch') ? watchAll() : buildAll());
}
