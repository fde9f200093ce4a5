// `npm run test:cuda`: every kernel against a reference, run on the processor (needs g++); then, where nvcc is installed,
// everything compiled for all architectures.
//
//   --only NAME            only checks whose name contains it; compiles nothing for devices
//   --part products        only these parts (several with commas); compiles nothing for devices
//   --sanitize             every access is watched; slow; compiles nothing for devices
//   --order descending     ascending, descending or shuffled: the order of threads within a block
//   --device               on the device of this machine instead of on the processor; with --arch, for it alone;
//                          with --sanitize, also under compute-sanitizer: memcheck and racecheck
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildCuda, commaSeparated } from './build-cuda.mjs';
import { has } from './cuda/toolchain.mjs';

/**
 * What `npm test` does: builds the kernels for the processor, with the module that the tests of the engine load, and runs
 * the checks; returns the exit code. What cannot be done for want of a compiler is said plainly, and in CI it fails.
 * @param {{ compileForDevices: boolean }} options
 * @returns {Promise<number>}
 */
export async function checkCuda({ compileForDevices }) {
  if (!has('g++')) {
    process.stdout.write('The CUDA kernels are NOT checked: g++ is not installed.\n');
    return process.env['CI'] === undefined ? 0 : 1;
  }
  try {
    process.stdout.write('\n> CUDA kernels, on the processor\n');
    const { check } = await buildCuda({ emulated: true });
    const status = runProgram(check, ['--brief']);
    if (status !== 0 || !compileForDevices) return status;
    if (!has('nvcc')) {
      process.stdout.write('The CUDA kernels are NOT compiled for devices: nvcc is not installed.\n');
      return 0;
    }
    process.stdout.write('\n> CUDA kernels, for devices\n');
    await buildCuda({});
    return 0;
  } catch (error) {
    return explain(error);
  }
}

/**
 * Says what a compiler said; returns the exit code.
 * @param {unknown} error
 */
function explain(error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}

/**
 * @param {string} program
 * @param {readonly string[]} options
 */
function runProgram(program, options) {
  const { status, signal, error } = spawnSync(program, options, { stdio: 'inherit' });
  if (error !== undefined) process.stderr.write(`${program} cannot be started: ${error.message}\n`);
  else if (signal !== null) process.stderr.write(`The checks were ended by ${signal}.\n`);
  return status ?? 1;
}

/** @param {readonly string[]} argv */
async function runChosen(argv) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      part: { type: 'string' },
      sanitize: { type: 'boolean' },
      order: { type: 'string' },
      device: { type: 'boolean' },
      arch: { type: 'string' },
    },
  });
  const onDevice = values.device === true;
  const { check } = await buildCuda({
    emulated: !onDevice,
    sanitize: !onDevice && values.sanitize === true,
    arch: commaSeparated(values.arch),
    part: commaSeparated(values.part),
  });
  const options = [
    ...(values.only === undefined ? [] : ['--only', values.only]),
    ...(values.order === undefined ? [] : ['--order', values.order]),
  ];
  const status = runProgram(check, options);
  if (status !== 0 || !onDevice || values.sanitize !== true) return status;
  for (const tool of ['memcheck', 'racecheck']) {
    process.stdout.write(`\n> compute-sanitizer --tool ${tool}\n`);
    const found = runProgram('compute-sanitizer', [
      '--tool',
      tool,
      '--error-exitcode',
      '1',
      check,
      '--brief',
      ...options,
    ]);
    if (found !== 0) return found;
  }
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const argv = process.argv.slice(2);
  process.exitCode =
    argv.length === 0 ? await checkCuda({ compileForDevices: true }) : await runChosen(argv).catch(explain);
}
