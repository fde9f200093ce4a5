import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findCuda } from '../../../../server/backends/cuda/devices.js';

const folder = mkdtempSync(path.join(tmpdir(), 'locret-cuda-devices-'));
const functions = [
  ...['plan', 'open', 'close', 'load', 'ready', 'state', 'pass', 'step', 'lastLogits', 'likeliest', 'startObserving'],
  ...['observed', 'rewind', 'clear', 'forget', 'exportLayer', 'importLayer', 'resume', 'tokenIndices', 'memory'],
];
let engines = 0;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** An engine whose `devices` runs this code. */
function engineWith(devices: string): string {
  const file = path.join(folder, `engine-${engines++}.cjs`);
  const others = functions.map((name) => `${name}() {}`).join(', ');
  writeFileSync(file, `module.exports = { numerics: 1, devices() { ${devices} }, ${others} };\n`);
  return file;
}

const gpu = (name: string, supported: boolean, freeBytes: number): object => ({
  name,
  computeMajor: supported ? 9 : 7,
  computeMinor: supported ? 0 : 5,
  multiprocessors: 1,
  supported,
  totalBytes: 10,
  freeBytes,
});

const machineWith = (devices: readonly object[], problem = '', driverVersion = 13_000): string =>
  engineWith(`return ${JSON.stringify({ driverVersion, runtimeVersion: 13_000, problem, devices })};`);

describe('the GPUs that are found', () => {
  it('are listed as the driver counts them; those that can be used come with most free memory first', () => {
    const devices = [gpu('small', true, 2), gpu('old', false, 9), gpu('large', true, 8), gpu('middle', true, 5)];
    const found = findCuda(machineWith(devices));
    expect(found.devices.map(({ name }) => name)).toEqual(['small', 'old', 'large', 'middle']);
    expect(found.usable?.devices.map(({ name, index }) => [name, index])).toEqual([
      ['large', 2],
      ['middle', 3],
      ['small', 0],
    ]);
    expect(found.missing).toBeUndefined();
  });

  it('may all be too old: that is said, and what is needed', () => {
    const found = findCuda(machineWith([gpu('Tesla T4', false, 9)]));
    expect(found).toMatchObject({ usable: undefined, driverVersion: 13_000, devices: [{ name: 'Tesla T4' }] });
    expect(found.missing?.problem).toBe('Tesla T4 has compute capability 7.5, and the GPU engine has no code for that');
    expect(found.missing?.remedy).toMatch(/Ampere/);
  });

  it('are none with a driver that is too old: its version is told, and which one is needed', () => {
    const problem = 'the NVIDIA driver is too old for CUDA 13: install version 580 or newer';
    const found = findCuda(machineWith([], problem, 12_040));
    expect(found).toMatchObject({ usable: undefined, driverVersion: 12_040, missing: { problem } });
    expect(found.missing?.remedy).toMatch(/version 580 or newer/);
  });

  it('are none where the driver fails', () => {
    const found = findCuda(engineWith(`throw new Error('Asking for a device: unknown error.');`));
    expect(found.missing?.problem).toBe('The GPU engine failed: Asking for a device: unknown error');
    expect(found.missing?.remedy).toMatch(/backend cpu/);
  });

  it('are none on a system that is too old for the engine: it is told which one is needed', () => {
    const file = path.join(folder, 'too-new.cjs');
    writeFileSync(file, `throw new Error("libc.so.6: version \`GLIBC_2.34' not found (required by ${file})");\n`);
    const { missing } = findCuda(file);
    expect(missing?.problem).toMatch(
      /cannot be loaded: libc\.so\.6: version `GLIBC_2\.34' not found \(required by .*\)$/,
    );
    expect(missing?.remedy).toMatch(/glibc 2\.34 or newer/);
  });

  it('are none with an engine of another version', () => {
    const file = path.join(folder, 'other.cjs');
    writeFileSync(file, 'module.exports = { devices() {} };\n');
    expect(findCuda(file).missing?.problem).toMatch(/other\.cjs is no GPU engine of this version$/);
  });
});
