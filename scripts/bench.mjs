// `npm run bench:speed` and its like: bundles bench/NAME.ts, or one of research/, beside an engine worker in .cache/bench and
// runs it there.
// What a benchmark compares with is no dependency of the product: it is installed in .cache/bench when first needed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages, installTools } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.cache/bench/`;
const nodeLlamaCpp = '3.22.1';

/** @type {Record<string, { folder?: string, entries: string[], peers?: string[], sources?: Record<string, string[]> }>} */
const benches = {
  speed: {
    entries: ['speed', 'speed-onnx', 'speed-llama-cpp'],
    peers: [`node-llama-cpp@${nodeLlamaCpp}`, `@node-llama-cpp/${prebuilt()}@${nodeLlamaCpp}`],
  },
  product: {
    entries: ['product', 'product-locret', 'product-llama-cpp'],
    peers: [`node-llama-cpp@${nodeLlamaCpp}`, `@node-llama-cpp/${prebuilt()}@${nodeLlamaCpp}`],
  },
  memory: { entries: ['memory'] },
  eviction: { entries: ['eviction'] },
  answers: { entries: ['answers'] },
  find: { entries: ['find'] },
  quality: {
    folder: 'research/quality',
    entries: ['quality'],
    sources: {
      'held-out': [
        'immer@11.2.10',
        'preact@11.2.0',
        'commander@14.0.3',
        'prosemirror-view@1.42.9',
        '@trpc/server@11.25.2',
        'zod@4.6.7',
        'webpack@5.112.2',
        'luxon@3.7.2',
        'nodemailer@10.6.1',
        'mongoose@9.12.1',
        'stylelint@18.0.0',
      ],
      training: ['rxjs@7.8.2', 'ramda@0.32.0', 'undici@7.30.2', 'ethers@6.17.0', 'mathjs@15.2.0', 'mobx@7.1.3'],
    },
  },
};

/** The name of llama.cpp's prebuilt CPU library for this machine. */
function prebuilt() {
  /** @type {Record<string, string>} */
  const names = { win32: 'win', darwin: 'mac' };
  const system = names[process.platform] ?? process.platform;
  return `${system}-${process.arch}${system === 'mac' && process.arch === 'arm64' ? '-metal' : ''}`;
}

const [name = '', ...argv] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`There is no benchmark "${name}"; there are ${Object.keys(benches).join(', ')}.\n`);
  process.exit(2);
}
installPackages();
installTools(folder, bench.peers ?? []);
// Sources to ask about and to train on have folders of their own: npm removes what it was not asked for.
for (const [name, packages] of Object.entries(bench.sources ?? {})) installTools(`${folder}${name}/`, packages);
const { build } = await import('esbuild');
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries([
    ...bench.entries.map((entry) => [entry, `${bench.folder ?? 'bench'}/${entry}.ts`]),
    ['engine-worker', 'server/backends/worker.ts'],
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
