// The compilers: g++ for kernels on the processor, nvcc for devices. Paths in commands are relative to shaders-cuda/.
import { spawnSync } from 'node:child_process';
import { nodeApiHeaders, nodeApiLibrary } from './node-api.mjs';

/** Ampere to Blackwell: every device that has the instructions the kernels are written with. */
export const architectures = ['80', '86', '89', '90', '100', '120'];

/**
 * @typedef {object} Toolchain
 * @property {(source: string, target: string, dependencies: string) => string[]} compile
 * @property {(objects: readonly string[], target: string) => string[]} linkProgram
 * @property {(objects: readonly string[], target: string) => string[]} linkModule a module that Node loads
 * @property {string} program the suffix of programs
 */

/** True when the program can be started. */
export function has(/** @type {string} */ program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Only the C interface and Node's entry are seen from outside: not, for instance, what is instantiated of C++'s library. */
const exportsOnly = '--version-script=binding/exports.map';

/**
 * Kernels on the processor. With `sanitize`, the address and the undefined-behaviour sanitizer watch every access.
 * @param {{ sanitize: boolean }} options
 * @returns {Toolchain}
 */
export function emulatedToolchain({ sanitize }) {
  const sanitizers = sanitize ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'] : [];
  // Thread-local variables are shared memory: their addresses should not cost a call.
  const threadLocal = process.arch === 'x64' ? ['-march=native', '-mtls-dialect=gnu2'] : [];
  const common = [
    '-std=c++20',
    sanitize ? '-O1' : '-O2',
    '-g1',
    '-fPIC',
    '-fvisibility=hidden',
    ...threadLocal,
    '-DLOCRET_EMULATED',
    '-Itest/emulation/include',
    '-I.',
    ...['-Wall', '-Wextra', '-Werror', '-Wno-unknown-pragmas'],
    ...sanitizers,
  ];
  return {
    program: '',
    compile: (source, target, dependencies) => [
      'g++',
      ...common,
      ...(source.startsWith('binding/') ? ['-isystem', nodeApiHeaders()] : []),
      ...['-MMD', '-MF', dependencies, '-x', 'c++', '-c', source, '-o', target],
    ],
    linkProgram: (objects, target) => ['g++', ...sanitizers, ...objects, '-o', target, '-pthread', '-ldl'],
    linkModule: (objects, target) => [
      ...['g++', '-shared', ...sanitizers, ...objects, '-o', target],
      ...[`-Wl,${exportsOnly}`, '-pthread', '-ldl'],
    ],
  };
}

/**
 * Kernels for devices, with the CUDA runtime inside, so that only the driver is needed. The newest architecture is there
 * as PTX too, for devices that come later. Kernels that only the programs check and bench have are PTX of the oldest one,
 * which the driver compiles when they run: that spares minutes. Of C++'s libraries only the larger one is linked in: GCC's
 * own is there wherever Node is, and the part of it that could be linked in needs a newer glibc. On Windows nvcc calls cl.
 * @param {readonly string[]} wanted architectures
 * @returns {Toolchain}
 */
export function deviceToolchain(wanted) {
  const windows = process.platform === 'win32';
  const newest = wanted[wanted.length - 1] ?? '';
  // cl also warns of what nvcc generates; what it would say about the sources, the other compilers say.
  const host = windows ? '/W3,/EHsc,/Zc:preprocessor,/utf-8' : '-Wall,-Wextra,-Werror,-fPIC,-fvisibility=hidden';
  const forEngine = [
    ...wanted.flatMap((name) => ['-gencode', `arch=compute_${name},code=sm_${name}`]),
    ...['-gencode', `arch=compute_${newest},code=compute_${newest}`],
  ];
  const oldest = wanted[0] ?? '';
  const forPrograms = ['-gencode', `arch=compute_${oldest},code=compute_${oldest}`];
  const common = [
    // A fifth of the size that the default gives.
    '--compress-mode=size',
    ...['-std=c++20', '-O3', '-lineinfo', '--expt-relaxed-constexpr', '-cudart', 'static'],
    ...['-Werror', 'all-warnings', '-Xptxas', '-v', '-Xcompiler', host, '-I.'],
  ];
  const libraries = windows ? [] : ['-Xlinker', '--exclude-libs,ALL', '-lpthread', '-ldl', '-lrt'];
  const selfContained = [
    ...['-Xcompiler', '-static-libstdc++', '-Xlinker', '--strip-debug'],
    ...['-Xlinker', '--gc-sections', '-Xlinker', exportsOnly],
  ];
  // See binding/find-node.cpp.
  const forNode = () =>
    windows ? [nodeApiLibrary(), 'delayimp.lib', '-Xlinker', '/DELAYLOAD:node.exe'] : selfContained;
  return {
    program: windows ? '.exe' : '',
    compile: (source, target, dependencies) => [
      'nvcc',
      ...(/^(test\/check|bench)\//.test(source) ? forPrograms : forEngine),
      ...common,
      ...(source.startsWith('binding/') ? ['-isystem', nodeApiHeaders()] : []),
      ...['-MMD', '-MF', dependencies, '-c', source, '-o', target],
    ],
    linkProgram: (objects, target) => ['nvcc', '-cudart', 'static', ...objects, '-o', target, ...libraries],
    linkModule: (objects, target) => [
      ...['nvcc', '-shared', '-cudart', 'static', ...objects, '-o', target],
      ...forNode(),
      ...libraries,
    ],
  };
}
