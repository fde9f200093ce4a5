// docs/figures/cuda.md: what is known of the engine without a device, and what was measured on one.
import { kernelName } from './resources.mjs';

/**
 * @typedef {import('./resources.mjs').KernelResources} KernelResources
 * @typedef {import('./goals.mjs').Goal} Goal
 */

/**
 * @typedef {object} PlannedModel bytes of device memory, as the engine itself plans them
 * @property {string} holding weights and cache
 * @property {number} chunk
 * @property {number} weightBytes
 * @property {number} headBytes
 * @property {number} cacheBytes
 * @property {number} workBytes staging, intermediate values and logits
 * @property {number} totalBytes with what loading takes
 */

/**
 * @typedef {object} WithoutDevice
 * @property {string} date
 * @property {string} commit
 * @property {string} compiler
 * @property {number} moduleBytes
 * @property {readonly KernelResources[]} resources
 * @property {readonly string[]} shown architectures
 * @property {readonly PlannedModel[]} plans
 */

/**
 * @typedef {object} OnDevice
 * @property {string} device
 * @property {string} torch
 * @property {readonly Goal[]} goals
 */

/**
 * @param {readonly string[]} columns
 * @param {readonly (readonly string[])[]} rows
 */
function table(columns, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** @param {readonly number[]} numbers */
function range(numbers) {
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  return low === high ? String(low) : `${low}–${high}`;
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(2);
}

/**
 * A row for each kernel of the sources, over all of its variants (formats, head sizes, tiles).
 * @param {readonly KernelResources[]} resources
 * @param {readonly string[]} shown
 */
function kernelTable(resources, shown) {
  const names = [...new Set(resources.map(({ kernel }) => kernelName(kernel)))].sort();
  const rows = names.map((name) => {
    const all = resources.filter(({ kernel }) => kernelName(kernel) === name);
    const of = (/** @type {string} */ architecture) => all.filter((one) => one.architecture === architecture);
    const variants = Math.max(...shown.map((architecture) => of(architecture).length));
    return [
      `\`${name}\``,
      String(variants),
      ...shown.map((architecture) => range(of(architecture).map(({ registers }) => registers))),
      range(all.map(({ sharedBytes }) => sharedBytes)),
      String(Math.max(...all.map(({ spilledBytes }) => spilledBytes))),
    ];
  });
  const columns = shown.map((architecture) => `registers, ${architecture}`);
  return table(['kernel', 'variants', ...columns, 'static shared memory, bytes', 'spilled bytes'], rows);
}

/** @param {readonly PlannedModel[]} plans */
function planTable(plans) {
  return table(
    ['weights · cache', 'chunk', 'weights', 'heads', 'cache', 'working memory', 'in all'],
    plans.map(({ holding, chunk, weightBytes, headBytes, cacheBytes, workBytes, totalBytes }) => [
      holding,
      String(chunk),
      ...[weightBytes, headBytes, cacheBytes, workBytes, totalBytes].map(gigabytes),
    ]),
  );
}

/**
 * @param {OnDevice} measured
 * @param {string} date
 * @param {string} commit
 */
function measuredSection({ device, torch, goals }, date, commit) {
  return [
    '## On a device',
    `${device}, on ${date}, commit ${commit}; PyTorch ${torch} on the same device in the same run. 131,072 tokens, a ` +
      'budget of 16,384, random weights; speeds are medians of passes, memory is counted by the allocators.',
    table(
      ['', 'goal', 'measured', ''],
      goals.map(({ what, wanted, measured, reached }) => [what, wanted, measured, reached ? 'reached' : '**missed**']),
    ),
  ].join('\n\n');
}

const notMeasured =
  '**Nothing on this page ran on a GPU**: none was at hand. What follows is what the compiler says, and what the engine ' +
  'plans. On a machine with a GPU, nvcc 13 and PyTorch, `npm run bench:cuda -- --compare python3` measures what is missing ' +
  '(memory, prefill, decoding, scoring and eviction, products; each against PyTorch) and writes it here.';

/**
 * The page.
 * @param {WithoutDevice} known
 * @param {OnDevice | undefined} measured
 */
export function cudaPage({ date, commit, compiler, moduleBytes, resources, shown, plans }, measured) {
  const architectures = [...new Set(resources.map(({ architecture }) => architecture))];
  return `${[
    '# The CUDA engine',
    measured === undefined ? notMeasured : measuredSection(measured, date, commit),
    '## As compiled',
    `\`npm run bench:cuda -- --without-device\` on ${date}, commit ${commit}: ${compiler}, for ` +
      `${architectures.join(', ')}. ${resources.length} kernels in ${(moduleBytes / 1e6).toFixed(1)} MB ` +
      '(`dist/locret-cuda.node`); a row is a kernel of the sources with all its variants.',
    kernelTable(resources, shown),
    '## Planned device memory',
    'Llama-3.1-8B with retaining heads (d_R 1,024), a budget of 16,384 and 4,096 units for question and answer, in GB (10⁹ ' +
      'bytes): counted by the functions that lay the memory out, in all with the 0.03 GB that loading takes.',
    planTable(plans),
  ].join('\n\n')}\n`;
}
