// `npm run bench:cuda`: measures every CUDA kernel and the engine on the device of this machine. Needs nvcc and a device.
//
//   --only NAME          only benchmarks whose name contains it
//   --part NAME          only these parts (several with commas)
//   --arch 90            compiles for this architecture alone: quicker
//   --json FILE          writes the figures there too
//   --compare PYTHON     everything, and the same algorithm in PyTorch by this Python; writes docs/figures/cuda.md
//   --without-device     measures nothing: what the compiler and the plan say, to docs/figures/cuda.md
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildCuda, commaSeparated } from './build-cuda.mjs';
import { compilerOutput } from './cuda/compile.mjs';
import { cudaPage } from './cuda/figures-page.mjs';
import { chunks, goalsReached } from './cuda/goals.mjs';
import { llamaConfigs, plannedModel } from './cuda/planned-models.mjs';
import { readResources } from './cuda/resources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = path.join(root, 'docs/figures/cuda.md');
const comparison = path.join(root, 'shaders-cuda/bench/comparison/locret_torch.py');

/**
 * What a program prints.
 * @param {string} program
 * @param {readonly string[]} argv
 * @throws Error when it fails
 */
function outputOf(program, argv) {
  const { status, stdout, error } = spawnSync(program, argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${argv.join(' ')} failed: ${error?.message ?? `it ended with ${status}`}.`);
}

/**
 * What is known without a device.
 * @param {import('./build-cuda.mjs').Built} built
 * @returns {import('./cuda/figures-page.mjs').WithoutDevice}
 */
function withoutDevice({ module, kernels }) {
  const resources = kernels.flatMap((object) => readResources(compilerOutput(object)));
  /** @type {(file: string) => import('../server/backends/cuda/binding.js').CudaBinding} */
  const load = createRequire(import.meta.url);
  const binding = load(module);
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: outputOf('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).trim(),
    compiler: /release [\d.]+/.exec(outputOf('nvcc', ['--version']))?.[0].replace('release', 'nvcc') ?? 'nvcc',
    moduleBytes: statSync(module).size,
    resources,
    shown: ['sm_80', 'sm_90'],
    plans: llamaConfigs.map((one) => plannedModel(one, binding.plan(one.config))),
  };
}

/**
 * PyTorch's figures.
 * @param {string} python
 * @param {readonly string[]} argv
 * @returns {string} one JSON object
 */
function runTorch(python, argv) {
  process.stdout.write(`\n> ${python} ${path.relative(root, comparison)} ${argv.join(' ')}\n`);
  const text = outputOf(python, [comparison, ...argv]);
  process.stdout.write(text);
  return text;
}

/**
 * Measures the algorithm in PyTorch, and both against the goals.
 * @param {string} python
 * @param {string} file that the benchmarks wrote
 * @returns {import('./cuda/figures-page.mjs').OnDevice}
 */
function compare(python, file) {
  /** @type {(text: string) => import('./cuda/goals.mjs').BenchResult} */
  const readBench = JSON.parse;
  /** @type {(text: string) => import('./cuda/goals.mjs').TorchRun} */
  const readRun = JSON.parse;
  /** @type {(text: string) => import('./cuda/goals.mjs').TorchProducts} */
  const readProducts = JSON.parse;
  const bench = readBench(readFileSync(file, 'utf8'));
  const runs = chunks.map((chunk) => readRun(runTorch(python, ['--chunk', String(chunk)])));
  const { torch, products } = readProducts(runTorch(python, ['--products']));
  return {
    device: bench.device,
    torch,
    goals: goalsReached(bench, runs, products),
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      part: { type: 'string' },
      arch: { type: 'string' },
      json: { type: 'string' },
      compare: { type: 'string' },
      'without-device': { type: 'boolean' },
    },
  });
  const built = await buildCuda({ arch: commaSeparated(values.arch), part: commaSeparated(values.part) });
  if (values['without-device'] === true) {
    writeFileSync(page, cudaPage(withoutDevice(built), undefined));
    return;
  }
  const json =
    values.json ?? (values.compare === undefined ? undefined : path.join(path.dirname(built.bench), 'bench.json'));
  const options = [
    ...(values.only === undefined ? [] : ['--only', values.only]),
    ...(json === undefined ? [] : ['--json', json]),
  ];
  const { status } = spawnSync(built.bench, options, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  if (status !== 0 || values.compare === undefined || json === undefined) return;
  writeFileSync(page, cudaPage(withoutDevice(built), compare(values.compare, json)));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
