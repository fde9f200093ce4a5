// `npm run test:cuda`: every kernel against a reference, run on the processor (needs g++); then, where nvcc is installed,
// everything compiled for all architectures.
//
//   --only NAME            only checks whose name contains it; compiles nothing for devices
//   --part products        only these parts (several with commas); compiles nothing for devices
//   --sanitize             every access is watched; slow
//   --order descending     ascending, descending or shuffled: the order of threads within a block
//   --device               on the device of this machine instead of on the processor; with --arch, for it alone
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildCuda, commaSeparated } from './build-cuda.mjs';
import { has } from './cuda/toolchain.mjs';

/**
 * Returns the exit code. What cannot be done for want of a compiler is said plainly.
 * @param {readonly string[]} argv
 */
export async function testCuda(argv) {
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
  const onDevice = values.device ?? false;
  const compiler = onDevice ? 'nvcc' : 'g++';
  if (!has(compiler)) {
    process.stdout.write(`The CUDA kernels are NOT checked: ${compiler} is not installed.\n`);
    return 0;
  }
  const part = commaSeparated(values.part);
  const { check } = await buildCuda({
    emulated: !onDevice,
    sanitize: values.sanitize ?? false,
    arch: commaSeparated(values.arch),
    part,
  });
  const options = [
    ...(values.only === undefined ? [] : ['--only', values.only]),
    ...(values.order === undefined ? [] : ['--order', values.order]),
  ];
  const { status } = spawnSync(check, options, { stdio: 'inherit' });
  if (status !== 0) return status ?? 1;
  if (onDevice || values.only !== undefined || part !== undefined || values.sanitize === true) return 0;
  if (has('nvcc')) {
    await buildCuda({});
  } else {
    process.stdout.write('The CUDA kernels are NOT compiled for devices: nvcc is not installed.\n');
  }
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = await testCuda(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
