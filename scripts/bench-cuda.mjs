// `npm run bench:cuda`: measures every CUDA kernel on the device of this machine. Needs nvcc and a device.
//
//   --only NAME   only benchmarks whose name contains it
//   --part NAME   only these parts (several with commas)
//   --arch 90     compiles for this architecture alone: quicker
//   --json FILE   writes the figures there too
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildCuda, commaSeparated } from './build-cuda.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    part: { type: 'string' },
    arch: { type: 'string' },
    json: { type: 'string' },
  },
});
try {
  const { bench } = await buildCuda({ arch: commaSeparated(values.arch), part: commaSeparated(values.part) });
  const options = [
    ...(values.only === undefined ? [] : ['--only', values.only]),
    ...(values.json === undefined ? [] : ['--json', values.json]),
  ];
  const { status } = spawnSync(bench, options, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
