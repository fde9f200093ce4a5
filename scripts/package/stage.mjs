// Puts together what a package contains, in a clean folder.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleAll, unbundledPackages } from '../build.mjs';
import { isObject, parseObject } from '../json-object.mjs';
import { gpuEngine, gpuTargets, nativeFilesOf, ownTarget } from './targets.mjs';
import { cudaRuntimeNotice, packageFoldersOf, thirdPartyNotices } from './third-party-notices.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Copied as they are. */
const plainFiles = /^(LICENSE|\.vscodeignore|package\.nls(\.[\w-]+)?\.json)$/;
const plainFolders = ['extension/media', 'extension/walkthrough', 'l10n', 'syntaxes', 'models/nano'];

/** The names of the grammars that outlines are made with. */
async function grammarNames() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['server/repository/outline-queries.ts'],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  /** @type {unknown} */
  const module = await import(`data:text/javascript;base64,${code}`);
  if (!isObject(module) || !isObject(module['outlineQueries']))
    throw new TypeError('outline-queries.ts has no queries.');
  return Object.keys(module['outlineQueries']);
}

/**
 * Which files of the packages that stay outside the bundles are needed at run time.
 * @param {string} target
 * @returns {Promise<Readonly<Record<string, readonly string[]>>>}
 */
async function runtimeFiles(target) {
  const scriptsIn = async (/** @type {string} */ folder) =>
    (await readdir(path.join(root, 'node_modules', folder))).filter((file) => file.endsWith('.js'));
  const [binding, common, grammars] = await Promise.all([
    scriptsIn('onnxruntime-node/dist'),
    scriptsIn('onnxruntime-common/dist/cjs'),
    grammarNames(),
  ]);
  return {
    'onnxruntime-node': ['package.json', ...binding.map((file) => `dist/${file}`), ...nativeFilesOf(target)],
    'onnxruntime-common': [
      'package.json',
      'dist/cjs/package.json',
      ...common.map((/** @type {string} */ file) => `dist/cjs/${file}`),
    ],
    'web-tree-sitter': ['package.json', 'web-tree-sitter.cjs', 'web-tree-sitter.wasm'],
    '@vscode/tree-sitter-wasm': ['package.json', ...grammars.map((grammar) => `wasm/tree-sitter-${grammar}.wasm`)],
  };
}

/**
 * The packages stand in dist/node_modules, beside the bundles: the packaging tool leaves a node_modules at the top out.
 * @param {string} stage
 * @param {string} target
 */
async function copyPackages(stage, target) {
  const files = await runtimeFiles(target);
  await Promise.all(
    unbundledPackages.flatMap((name) => {
      const needed = files[name];
      if (needed === undefined)
        throw new Error(`${name} stays outside the bundles; say which of its files are needed.`);
      return needed.map((file) =>
        cp(path.join(root, 'node_modules', name, file), path.join(stage, 'dist/node_modules', name, file)),
      );
    }),
  );
}

/**
 * The GPU engine, where it was built (`npm run build:cuda`) on the target's own system. At run time it needs nothing but
 * the driver.
 * @param {string} stage
 * @param {string} target
 * @returns {Promise<boolean>} whether it is there
 */
async function copyGpuEngine(stage, target) {
  const built = path.join(root, 'dist', gpuEngine);
  if (!gpuTargets.includes(target) || target !== ownTarget || !existsSync(built)) return false;
  await mkdir(path.join(stage, 'dist'), { recursive: true });
  await cp(built, path.join(stage, 'dist', gpuEngine));
  return true;
}

/**
 * The manifest as it is installed: without what only a checkout uses.
 * @param {string} text of package.json
 */
export function stagedManifest(text) {
  const onlyInCheckout = ['private', 'bin', 'files', 'scripts', 'dependencies', 'devDependencies'];
  const entries = Object.entries(parseObject(text)).filter(([key]) => !onlyInCheckout.includes(key));
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}

/**
 * The README without what does not come along: pictures are left out, links to files become their text.
 * @param {string} text
 */
export function stagedReadme(text) {
  return text.replace(/^!\[[^\]]*\]\((?!https:)[^)]*\)\n+/gm, '').replace(/\[([^\]]+)\]\((?!https?:|#)[^)]*\)/g, '$1');
}

/**
 * Fills a folder with everything that the package of a target contains, and nothing else.
 * @param {string} stage emptied first
 * @param {string} target
 * @returns {Promise<string[]>} the files, relative to it, with forward slashes
 */
export async function stagePackage(stage, target) {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  const read = (/** @type {string} */ file) => readFile(path.join(root, file), 'utf8');
  const [bundled, topLevel, manifest, readme, hasGpuEngine] = await Promise.all([
    bundleAll(path.join(stage, 'dist'), { minify: true, sourcemap: false }),
    readdir(root),
    read('package.json'),
    read('README.md'),
    copyGpuEngine(stage, target),
    copyPackages(stage, target),
    ...plainFolders.map((folder) => cp(path.join(root, folder), path.join(stage, folder), { recursive: true })),
  ]);
  const unbundled = unbundledPackages.map((name) => `node_modules/${name}/package.json`);
  const folders = packageFoldersOf([...bundled, ...unbundled]);
  const plain = topLevel.filter((file) => plainFiles.test(file));
  await Promise.all([
    ...plain.map((file) => cp(path.join(root, file), path.join(stage, file))),
    writeFile(path.join(stage, 'package.json'), stagedManifest(manifest)),
    writeFile(path.join(stage, 'README.md'), stagedReadme(readme)),
    thirdPartyNotices(
      folders.map((folder) => path.join(root, folder)),
      hasGpuEngine ? [cudaRuntimeNotice] : [],
    ).then((notices) => writeFile(path.join(stage, 'THIRD-PARTY-NOTICES.txt'), notices)),
  ]);
  const entries = await readdir(stage, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.vscodeignore')
    .map((entry) => path.relative(stage, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
}
