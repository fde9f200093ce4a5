import { describe, expect, it } from 'vitest';
import { cudaPage } from '../../../scripts/cuda/figures-page.mjs';
import { goalsReached } from '../../../scripts/cuda/goals.mjs';
import { kernelName } from '../../../scripts/cuda/resources.mjs';

const engine = 'engine/llama-3.1-8b';
const row = (name: string, sizes: string, medianMilliseconds: number, more: object = {}) => ({
  name,
  sizes,
  bytes: 0,
  tokens: 0,
  peakBytes: 0,
  medianMilliseconds,
  ...more,
});

/** Passes of 1 ms per token, of it 4 % scoring and eviction; a step of bf16 in 6 ms at 80 % of 4 TB/s. */
const ofChunk = (chunk: number) => [
  row(engine, `bf16, cache bf16, B ${chunk}: a pass at 32K`, chunk, { tokens: chunk }),
  row(engine, `bf16, cache bf16, B ${chunk}: a pass at 128K`, 1.02 * chunk, { tokens: chunk }),
  row(engine, `bf16, cache bf16, B ${chunk}: scoring and eviction in it`, 0.04 * chunk),
  row(engine, `bf16, cache bf16, B ${chunk}: a decode step`, 6, { tokens: 1, bytes: 19.2e9, peakBytes: 20e9 }),
  row(engine, `int4, cache int8, B ${chunk}: a decode step`, 2, { tokens: 1, bytes: 6e9, peakBytes: 10.5e9 }),
];
const product = 'bfloat16, 1024 tokens, down 4096 x 14336';
const bench = {
  device: 'H200',
  peakBytesPerSecond: 4e12,
  measurements: [...ofChunk(1024), ...ofChunk(3072), row('products/multiply', product, 2)],
};
const torch = [1024, 3072].map((chunk) => ({
  chunk,
  lateTokensPerSecond: 500,
  decodeTokensPerSecond: 60,
  peakBytes: 30e9,
}));
const products = [{ sizes: product, medianMilliseconds: 1.5 }];

describe('the goals on a GPU', () => {
  const goals = new Map(goalsReached(bench, torch, products).map((goal) => [goal.what, goal]));

  it.each([
    ['B 1024: device memory, bf16', '≤ 22.00 GB', '20.00 GB', true],
    ['B 3072: device memory, int4 and int8', '≤ 10.00 GB', '10.50 GB', false],
    ['B 1024: prefill against PyTorch', '≥ 1.50×', '1.96×', true],
    ['B 3072: scoring and eviction', '≤ 5.0 %', '3.9 %', true],
    ['B 1024: slower at 128K than at 32K', '≤ 3.0 %', '2.0 %', true],
    ['B 1024: decoding against PyTorch', '≥ 3.00×', '2.78×', false],
    ['B 3072: decoding, share of the bandwidth', '≥ 75.0 %', '80.0 %', true],
    ['decoding in int4 against bf16', '≥ 2.50×', '3.00×', true],
    [`products against PyTorch, the worst: ${product}`, '≥ 65.0 %', '75.0 %', true],
  ])('%s: wanted %s, measured %s', (what, wanted, measured, reached) => {
    expect(goals.get(what)).toEqual({ what, wanted, measured, reached });
  });

  it('are not told of when a measurement is missing', () => {
    const less = { ...bench, measurements: bench.measurements.slice(1) };
    expect(() => goalsReached(less, torch, products)).toThrow(/"bf16, cache bf16, B 1024: a pass at 32K".*is missing/);
    expect(() => goalsReached(bench, torch.slice(1), products)).toThrow(/PyTorch.*1024/);
    expect(() => goalsReached(bench, torch, [])).toThrow(/no product/);
  });
});

describe('the page of figures', () => {
  const resource = (architecture: string, variant: string, registers: number) => ({
    kernel: `_ZN6locret10gateKernelI${variant}EEvv`,
    architecture,
    registers,
    sharedBytes: 512,
    spilledBytes: 0,
  });
  const known = {
    date: '2026-11-25',
    commit: 'abc1234',
    compiler: 'nvcc 13.0',
    moduleBytes: 15_862_520,
    resources: [resource('sm_80', 'f', 40), resource('sm_80', 'd', 56), resource('sm_90', 'f', 32)],
    shown: ['sm_80', 'sm_90'],
    plans: [
      {
        holding: 'int4 · int8',
        chunk: 1024,
        weightBytes: 5e9,
        headBytes: 4e8,
        cacheBytes: 1.5e9,
        workBytes: 4e8,
        totalBytes: 7.33e9,
      },
    ],
  };

  it('has a row for each kernel over all of its variants, and for each plan', () => {
    const page = cudaPage(known, undefined);
    expect(page).toContain('| `gateKernel` | 2 | 40–56 | 32 | 512 | 0 |');
    expect(page).toContain('| int4 · int8 | 1024 | 5.00 | 0.40 | 1.50 | 0.40 | 7.33 |');
    expect(page).toContain('on 2026-11-25, commit abc1234: nvcc 13.0, for sm_80, sm_90. 3 kernels in 15.9 MB');
  });

  it('says that nothing was measured, or what, where and when', () => {
    expect(cudaPage(known, undefined)).toMatch(/Nothing on this page ran on a GPU/);
    const goals = goalsReached(bench, torch, products);
    const page = cudaPage(known, { device: 'H200', torch: '2.9', goals });
    expect(page).not.toMatch(/Nothing on this page ran/);
    expect(page).toMatch(/H200, on 2026-11-25, commit abc1234; PyTorch 2\.9/);
    expect(page).toContain('| B 1024: decoding against PyTorch | ≥ 3.00× | 2.78× | **missed** |');
  });
});

it('a kernel is named as in the source', () => {
  expect(kernelName('_ZN6locret18attendDecodeKernelI13__nv_bfloat16LNS_12NumberFormatE1ELi128EEEvv')).toBe(
    'attendDecodeKernel',
  );
  expect(kernelName('_ZN6locret39_GLOBAL__N__e97318d1_7_gate_cu_6085776110gateKernelIfEEvNS_4GateE')).toBe(
    'gateKernel',
  );
  expect(kernelName('plain')).toBe('plain');
});
