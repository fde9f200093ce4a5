// What the compiler reports about every kernel: registers, and spills, which cost what the kernel was written to save.
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} KernelResources
 * @property {string} kernel the mangled name
 * @property {string} architecture such as sm_90
 * @property {number} registers per thread
 * @property {number} sharedBytes of each block, as far as they are known when it is compiled
 * @property {number} spilledBytes stored and loaded
 */

/**
 * Reads the report of `-Xptxas -v`.
 * @param {string} report
 * @returns {KernelResources[]}
 */
export function readResources(report) {
  const kernels = [];
  let current;
  let spilledBytes = 0;
  for (const line of report.split('\n')) {
    const compiling = /Compiling entry function '(\S+)' for '(\S+)'/.exec(line);
    if (compiling !== null) {
      current = { kernel: compiling[1] ?? '', architecture: compiling[2] ?? '' };
      spilledBytes = 0;
    }
    const spills = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (spills !== null) spilledBytes = Number(spills[1]) + Number(spills[2]);
    const used = /Used (\d+) registers/.exec(line);
    if (used !== null && current !== undefined) {
      const sharedBytes = Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
      kernels.push({ ...current, registers: Number(used[1]), sharedBytes, spilledBytes });
      current = undefined;
    }
  }
  return kernels;
}

/**
 * The names of the kernels of a source that may spill: those marked `LOCRET_MAY_SPILL` before their name.
 * @param {string} file
 * @returns {string[]}
 */
export function kernelsThatMaySpill(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/LOCRET_MAY_SPILL\s[^;{]*?(\w+)\(/g)].map((match) => match[1] ?? '');
}

/**
 * The kernels that spill and are not marked.
 * @param {readonly KernelResources[]} kernels
 * @param {readonly string[]} allowed names, not mangled
 */
export function forbiddenSpills(kernels, allowed) {
  return kernels.filter(
    ({ kernel, spilledBytes }) => spilledBytes > 0 && !allowed.some((name) => kernel.includes(`${name.length}${name}`)),
  );
}

/**
 * The name of a kernel as it stands in the source, without its namespaces; the mangled one where it has none.
 * @param {string} mangled such as `_ZN6locret10gateKernelEv`: each name behind the number of its characters
 */
export function kernelName(mangled) {
  let name = mangled;
  let rest = mangled.replace(/^_ZN?/, '');
  for (let length = parseInt(rest, 10); length > 0; length = parseInt(rest, 10)) {
    const begin = String(length).length;
    name = rest.slice(begin, begin + length);
    rest = rest.slice(begin + length);
  }
  return name;
}
