import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { readRequirements, uncommonLibraries } from '../../../scripts/cuda/requirements.mjs';
import { forbiddenSpills, kernelsThatMaySpill, readResources } from '../../../scripts/cuda/resources.mjs';
import { findSources } from '../../../scripts/cuda/sources.mjs';
import { architectures, deviceToolchain } from '../../../scripts/cuda/toolchain.mjs';

/** What ptxas says of a kernel. */
function report(kernel: string, architecture: string, registers: number, [stores, loads]: readonly number[]): string {
  return [
    `ptxas info    : Compiling entry function '${kernel}' for '${architecture}'`,
    `ptxas info    : Function properties for ${kernel}`,
    `    0 bytes stack frame, ${stores} bytes spill stores, ${loads} bytes spill loads`,
    `ptxas info    : Used ${registers} registers, used 1 barriers, 4608 bytes smem`,
    'ptxas info    : Compile time = 473.582 ms',
  ].join('\n');
}

const quick = '_ZN6locret11quickKernelEv';
const rare = '_ZN6locret10rareKernelEv';

describe("the compiler's resource report", () => {
  const resources = readResources(
    [
      'ptxas info    : 0 bytes gmem',
      report(quick, 'sm_80', 168, [0, 0]),
      report(quick, 'sm_90', 255, [16, 24]),
      report(rare, 'sm_80', 255, [0, 4]),
    ].join('\n'),
  );

  it('is read kernel by kernel, for every architecture', () => {
    expect(
      resources.map(({ kernel, architecture, registers, spilledBytes }) => [
        kernel,
        architecture,
        registers,
        spilledBytes,
      ]),
    ).toEqual([
      [quick, 'sm_80', 168, 0],
      [quick, 'sm_90', 255, 40],
      [rare, 'sm_80', 255, 4],
    ]);
  });

  it('forbids spills but of kernels that are marked', () => {
    expect(forbiddenSpills(resources, []).map(({ kernel }) => kernel)).toEqual([quick, rare]);
    expect(forbiddenSpills(resources, ['rareKernel']).map(({ kernel }) => kernel)).toEqual([quick]);
    // A name that is part of another one is not that one.
    expect(forbiddenSpills(resources, ['Kernel'])).toHaveLength(2);
  });

  it('knows the marked kernels of a source', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'locret-cuda-build-'));
    try {
      const file = path.join(folder, 'kernels.cu');
      writeFileSync(
        file,
        '__global__ void quickKernel(int n) {}\nLOCRET_MAY_SPILL __global__ void rareKernel(int n) {}\n',
      );
      expect(kernelsThatMaySpill(file)).toEqual(['rareKernel']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what a module for Linux needs', () => {
  const headers = [
    'Dynamic Section:',
    '  NEEDED               libm.so.6',
    '  NEEDED               libgcc_s.so.1',
    '  NEEDED               libc.so.6',
    '',
    'Version References:',
    '  required from libgcc_s.so.1:',
    '    0x09276060 0x00 12 GCC_4.2.0',
    '  required from libc.so.6:',
    '    0x069691b4 0x00 02 GLIBC_2.34',
    '    0x06969194 0x00 14 GLIBC_2.14',
    '    0x0d696913 0x00 10 GLIBC_2.3',
    '    0x09691a75 0x00 03 GLIBC_2.2.5',
  ].join('\n');

  it('is the newest version of glibc that it refers to, and libraries that are everywhere', () => {
    const requirements = readRequirements(headers);
    expect(requirements).toEqual({ libraries: ['libm.so.6', 'libgcc_s.so.1', 'libc.so.6'], glibc: '2.34' });
    expect(uncommonLibraries(requirements)).toEqual([]);
  });

  it('is no library of CUDA', () => {
    const requirements = readRequirements(`${headers}\n  NEEDED               libcudart.so.13\n`);
    expect(uncommonLibraries(requirements)).toEqual(['libcudart.so.13']);
  });
});

describe('the sources', () => {
  const root = fileURLToPath(new URL('../../../shaders-cuda', import.meta.url));

  it('of the engine hold nothing that only tests it', () => {
    const { library, binding, check, emulation } = findSources(root);
    expect(library).toContain('engine/session.cpp');
    expect([...library, ...binding].filter((source) => source.startsWith('test/'))).toEqual([]);
    expect(check).toContain('test/check/main.cpp');
    expect(emulation).toContain('test/emulation/grid.cpp');
  });

  it('of one part come with its checks alone', () => {
    const { library, check } = findSources(root, ['layers']);
    expect(library).toContain('layers/gate.cu');
    expect(library).not.toContain('eviction/select-units.cu');
    expect(check).toContain('test/check/layers.cu');
    expect(check).toContain('test/check/main.cpp');
    expect(check).not.toContain('test/check/eviction-selection.cpp');
  });
});

describe('the compiler for devices', () => {
  const command = deviceToolchain(architectures).compile('products/product.cu', 'product.o', 'product.d').join(' ');

  it('makes code from Ampere to Blackwell, and what the driver compiles for later ones', () => {
    expect(architectures).toEqual([...architectures].sort((a, b) => Number(a) - Number(b)));
    for (const name of ['80', '86', '89', '90', '100', '120'])
      expect(command).toContain(`arch=compute_${name},code=sm_${name}`);
    expect(command).toContain('arch=compute_120,code=compute_120');
  });

  it('links a module on Windows that finds Node in whatever program runs it', () => {
    vi.stubEnv('NODE_LIBRARY', 'C:/node/node.lib');
    const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
    try {
      const link = deviceToolchain(architectures).linkModule(['a.o'], 'locret-cuda.node').join(' ');
      expect(link).toContain('C:/node/node.lib delayimp.lib -Xlinker /DELAYLOAD:node.exe');
      expect(link).not.toMatch(/-l|--/);
    } finally {
      platform.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  it.each(['test/check/products.cu', 'bench/products.cu'])(
    'leaves %s to the driver, which spares minutes',
    (source) => {
      const program = deviceToolchain(architectures).compile(source, 'product.o', 'product.d').join(' ');
      expect(program).toContain('arch=compute_80,code=compute_80');
      expect(program).not.toContain('code=sm_');
    },
  );

  it('takes every warning for an error, and has the runtime inside', () => {
    expect(command).toContain('-Werror all-warnings');
    expect(command).toContain('-cudart static');
  });
});
