// `npm run bench:speed` and its like: bundles bench/NAME.ts beside an engine worker in .cache/bench and runs it there.
// What a benchmark compares with is no dependency of the product: it is installed in .cache/bench when first needed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.cache/bench/`;
const nodeLlamaCpp = '3.22.1';

/** @type {Record<string, { entries: string[], peers: string[] }>} */
const benches = {
  speed: {
    entries: ['speed', 'speed-onnx', 'speed-llama-cpp'],
    peers: [`node-llama-cpp@${nodeLlamaCpp}`, `@node-llama-cpp/${prebuilt()}@${nodeLlamaCpp}`],
  },
  memory: { entries: ['memory'], peers: [] },
  eviction: { entries: ['eviction'], peers: [] },
  answers: { entries: ['answers'], peers: [] },
};

/** The name of llama.cpp's prebuilt CPU library for this machine. */
function prebuilt() {
  /** @type {Record<string, string>} */
  const names = { win32: 'win', darwin: 'mac' };
  const system = names[process.platform] ?? process.platform;
  return `${system}-${process.arch}${system === 'mac' && process.arch === 'arm64' ? '-metal' : ''}`;
}

/** @param {string[]} argv */
function npm(...argv) {
  const options = { cwd: folder, stdio: /** @type {const} */ ('inherit'), shell: process.platform === 'win32' };
  if (spawnSync('npm', argv, options).status !== 0) throw new Error(`npm ${argv.join(' ')} failed`);
}

const [name = '', ...argv] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`There is no benchmark "${name}"; there are ${Object.keys(benches).join(', ')}.\n`);
  process.exit(2);
}
installPackages();
await mkdir(folder, { recursive: true });
const isInstalled = bench.peers.every((peer) => existsSync(`${folder}node_modules/${peer.replace(/@[^@/]+$/, '')}`));
if (!isInstalled) {
  const flags = ['--no-save', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  npm('install', '--prefix', '.', ...flags, ...bench.peers);
}
const { build } = await import('esbuild');
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries([
    ...bench.entries.map((entry) => [entry, `bench/${entry}.ts`]),
    ['engine-worker', 'server/engine/worker.ts'],
  ]),
  outdir: folder,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
// As the `locret` command runs: see its first line.
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--max-semi-space-size=4', `${folder}${name}.js`, ...argv],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exit(run.status ?? 1);
