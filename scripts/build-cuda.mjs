// `npm run build:cuda`: the CUDA engine.
//
//   (nothing)              with nvcc, for all architectures: dist/locret-cuda.node and in .cache/cuda the programs
//                          check and bench; fails when a kernel spills registers
//   --arch 90              only for these architectures (several with commas): quicker
//   --emulated             with g++, kernels run on the processor: .cache/cuda/emulated/
//   --sanitize             with --emulated: every access is watched
//   --part products        only these parts and their checks (several with commas), without the module for Node
//   --objects              only compiles
//   --jobs 2               how many compilers run at once
//
// On Windows the same, in a developer prompt of Visual Studio 2022 (x64) with nvcc in the path. NODE_API_HEADERS and
// NODE_LIBRARY name another folder with node_api.h, and another node.lib, than what is found or installed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { compilerOutput, runSteps } from './cuda/compile.mjs';
import { readRequirements, uncommonLibraries } from './cuda/requirements.mjs';
import { forbiddenSpills, kernelsThatMaySpill, readResources } from './cuda/resources.mjs';
import { findSources } from './cuda/sources.mjs';
import { architectures, deviceToolchain, emulatedToolchain } from './cuda/toolchain.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = path.join(root, 'shaders-cuda');

/**
 * @typedef {object} BuildOptions
 * @property {boolean} [emulated]
 * @property {boolean} [sanitize]
 * @property {readonly string[] | undefined} [arch]
 * @property {readonly string[] | undefined} [part]
 * @property {boolean} [objects]
 * @property {number} [jobs]
 */

/**
 * @typedef {object} Built
 * @property {string} check the program that checks every kernel
 * @property {string} bench the program that measures them
 * @property {string} module what Node loads
 * @property {readonly string[]} kernels the objects that kernels were compiled to
 */

/**
 * Builds, and says where what it built is. Throws when a compiler refuses or a kernel spills.
 * @param {BuildOptions} options
 * @returns {Promise<Built>}
 */
export async function buildCuda({ emulated = false, sanitize = false, arch, part, objects = false, jobs = 2 }) {
  const wanted = arch ?? architectures;
  const toolchain = emulated ? emulatedToolchain({ sanitize }) : deviceToolchain(wanted);
  const folder = path.join(root, '.cache', 'cuda', configuration(emulated, sanitize, arch));
  const sources = findSources(kernels, part);
  // The processor says nothing about a device's speed.
  if (emulated) sources.bench = [];
  const support = emulated ? sources.emulation : [];
  const objectOf = (/** @type {string} */ source) => path.join(folder, `${source}.o`);
  const all = [...sources.library, ...sources.check, ...sources.bench, ...support];
  const withModule = part === undefined && sources.binding.length > 0;
  if (withModule) all.push(...sources.binding);
  await runSteps(
    all.map((source) => {
      const target = objectOf(source);
      const dependencies = `${target}.d`;
      const command = (/** @type {string} */ file) => toolchain.compile(source, file, dependencies);
      return { source, target, inputs: [source], dependencies, command };
    }),
    { cwd: kernels, jobs },
  );
  const kernelSources = sources.library.filter((source) => source.endsWith('.cu'));
  if (!emulated) checkSpills(kernelSources, objectOf);

  const library = [...sources.library, ...support];
  const programs = part === undefined ? '' : `-${part.join('-')}`;
  const built = {
    check: path.join(folder, `check-all${programs}${toolchain.program}`),
    bench: path.join(folder, `bench-all${programs}${toolchain.program}`),
    module: emulated ? path.join(folder, 'locret-cuda-emulated.node') : path.join(root, 'dist', 'locret-cuda.node'),
    kernels: kernelSources.map(objectOf),
  };
  if (objects) return built;
  const link = (
    /** @type {string[]} */ from,
    /** @type {string} */ target,
    /** @type {typeof toolchain.linkProgram} */ how,
  ) => {
    const inputs = from.map(objectOf);
    return {
      source: path.basename(target),
      target,
      inputs,
      dependencies: undefined,
      command: (/** @type {string} */ file) => how(inputs, file),
    };
  };
  const steps = [link([...library, ...sources.check], built.check, toolchain.linkProgram)];
  if (sources.bench.length > 0) steps.push(link([...library, ...sources.bench], built.bench, toolchain.linkProgram));
  if (withModule) steps.push(link([...library, ...sources.binding], built.module, toolchain.linkModule));
  await runSteps(steps, { cwd: kernels, jobs });
  if (withModule && !emulated && process.platform === 'linux') checkRequirements(built.module);
  return built;
}

/**
 * Says which glibc the module needs, and throws when it needs more than every system has.
 * @param {string} module
 */
function checkRequirements(module) {
  const { status, stdout } = spawnSync('objdump', ['-p', module], { encoding: 'utf8' });
  // Binutils, which has linked the module, may be there without it.
  if (status !== 0) return;
  const requirements = readRequirements(stdout);
  const uncommon = uncommonLibraries(requirements);
  if (uncommon.length > 0)
    throw new Error(`${module} needs ${uncommon.join(', ')}; link it in, or open it at run time.`);
  process.stdout.write(`The engine needs the driver and glibc ${requirements.glibc} or newer.\n`);
}

/**
 * The folder of one way to build, within .cache/cuda.
 * @param {boolean} emulated
 * @param {boolean} sanitize
 * @param {readonly string[] | undefined} arch
 */
function configuration(emulated, sanitize, arch) {
  if (emulated) return sanitize ? 'sanitized' : 'emulated';
  return arch === undefined ? 'device' : `device-${arch.join('-')}`;
}

/**
 * @param {readonly string[]} files with kernels
 * @param {(source: string) => string} objectOf
 */
function checkSpills(files, objectOf) {
  const resources = files.flatMap((source) => readResources(compilerOutput(objectOf(source))));
  const allowed = files.flatMap((source) => kernelsThatMaySpill(path.join(kernels, source)));
  const most = Math.max(0, ...resources.map(({ registers }) => registers));
  process.stdout.write(`${resources.length} kernels, at most ${most} registers.\n`);
  const spilling = forbiddenSpills(resources, allowed);
  if (spilling.length === 0) return;
  const lines = spilling.map(
    ({ kernel, architecture, spilledBytes, registers }) =>
      `  ${architecture}  ${spilledBytes} bytes, ${registers} registers: ${kernel}`,
  );
  throw new Error(
    `${spilling.length} kernels spill registers. Use fewer, or mark a kernel where it does not matter with ` +
      `LOCRET_MAY_SPILL.\n${lines.join('\n')}`,
  );
}

/** Removes what cannot be an argument list: "80,90" becomes two architectures. */
export function commaSeparated(/** @type {string | undefined} */ text) {
  return text === undefined ? undefined : text.split(',').filter((name) => name !== '');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      emulated: { type: 'boolean' },
      sanitize: { type: 'boolean' },
      arch: { type: 'string' },
      part: { type: 'string' },
      objects: { type: 'boolean' },
      jobs: { type: 'string' },
    },
  });
  try {
    const built = await buildCuda({
      emulated: values.emulated ?? false,
      sanitize: values.sanitize ?? false,
      arch: commaSeparated(values.arch),
      part: commaSeparated(values.part),
      objects: values.objects ?? false,
      jobs: Number(values.jobs ?? 2),
    });
    for (const file of [built.check, built.bench, built.module])
      if (existsSync(file)) process.stdout.write(`${path.relative(root, file)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
